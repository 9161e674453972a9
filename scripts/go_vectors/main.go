package main

import (
	"bytes"
	"encoding/json"
	"os"
	"sort"
	tpl "text/template"

	"github.com/PaesslerAG/jsonpath"
	"strings"
	"github.com/Masterminds/sprig/v3"
	"sigs.k8s.io/yaml"
)

type in struct {
	Kind, Name, Text string
	Data             map[string]string
	Store            map[string]map[string]string
	Body             string
}
type out struct {
	Text  string `json:"gives"`
	Error string `json:"error,omitempty"`
}

func run(c in) (text string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = r.(error)
		}
	}()
	switch c.Kind {
	case "path":
		var v any
		if err := json.Unmarshal([]byte(c.Body), &v); err != nil {
			panic(err)
		}
		got, err := jsonpath.Get(c.Text, v)
		if err != nil {
			return "", err
		}
		text, err := json.Marshal(got)
		return string(text), err
	case "store":
		t, err := tpl.New("webhooktemplate").Funcs(funcs()).Parse(c.Text)
		if err != nil {
			return "", err
		}
		var buf bytes.Buffer
		err = t.Execute(&buf, c.Store)
		return buf.String(), err
	default:
		t, err := tpl.New(c.Name).Option("missingkey=error").Funcs(funcs()).Parse(c.Text)
		if err != nil {
			return "", err
		}
		var buf bytes.Buffer
		err = t.Execute(&buf, c.Data)
		return buf.String(), err
	}
}

func main() {
	if len(os.Args) > 1 {
		names := []string{}
		for name := range funcs() {
			names = append(names, name)
		}
		sort.Strings(names)
		json.NewEncoder(os.Stdout).Encode(names)
		return
	}
	var cases []in
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		panic(err)
	}
	results := []out{}
	for _, c := range cases {
		text, err := run(c)
		o := out{Text: text}
		if err != nil {
			o = out{Error: err.Error()}
		}
		results = append(results, o)
	}
	json.NewEncoder(os.Stdout).Encode(results)
}

func funcs() tpl.FuncMap {
	m := sprig.TxtFuncMap()
	delete(m, "env")
	delete(m, "expandenv")
	m["toYaml"] = func(v any) string {
		data, err := yaml.Marshal(v)
		if err != nil {
			return ""
		}
		return strings.TrimSuffix(string(data), "\n")
	}
	m["fromYaml"] = func(s string) map[string]any {
		v := map[string]any{}
		if err := yaml.Unmarshal([]byte(s), &v); err != nil {
			v["Error"] = err.Error()
		}
		return v
	}
	return m
}

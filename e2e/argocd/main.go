// Command argocd is one part of Argo CD, named by ARGOCD_BINARY_NAME as in Argo CD's own program, or the Redis
// server that the parts share. Argo CD's API server is not among them: it embeds a web page, which no Go module
// has.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/spf13/cobra"

	appcontroller "github.com/argoproj/argo-cd/v3/cmd/argocd-application-controller/commands"
	applicationset "github.com/argoproj/argo-cd/v3/cmd/argocd-applicationset-controller/commands"
	gitaskpass "github.com/argoproj/argo-cd/v3/cmd/argocd-git-ask-pass/commands"
	reposerver "github.com/argoproj/argo-cd/v3/cmd/argocd-repo-server/commands"
)

func main() {
	commands := map[string]func() *cobra.Command{
		"argocd-application-controller":    appcontroller.NewCommand,
		"argocd-applicationset-controller": applicationset.NewCommand,
		"argocd-git-ask-pass":              gitaskpass.NewCommand,
		"argocd-repo-server":               reposerver.NewCommand,
		"redis":                            newRedis,
	}
	name := os.Getenv("ARGOCD_BINARY_NAME")
	command, known := commands[name]
	if !known {
		fmt.Fprintf(os.Stderr, "ARGOCD_BINARY_NAME=%s: not a part of Argo CD that is built here\n", name)
		os.Exit(2)
	}
	if err := command().Execute(); err != nil {
		os.Exit(1)
	}
}

func newRedis() *cobra.Command {
	return &cobra.Command{
		Use:  "redis ADDRESS",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			server := miniredis.NewMiniRedis()
			if err := server.StartAddr(args[0]); err != nil {
				return err
			}
			defer server.Close()
			fmt.Println("redis: listening on", server.Addr())
			ended := make(chan os.Signal, 1)
			signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
			// miniredis has no clock of its own: without one nothing that Argo CD keeps would ever expire
			clock := time.NewTicker(time.Second)
			defer clock.Stop()
			for {
				select {
				case <-clock.C:
					server.FastForward(time.Second)
				case <-ended:
					return nil
				}
			}
		},
	}
}

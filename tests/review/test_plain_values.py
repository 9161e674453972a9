"""A value in clear is told by the name that it is given to, and what only stands for one is not."""

from __future__ import annotations

import pytest

from arcan_gitops.review.plain_values import given

KEYS = {"STRIPE_KEY", "DATABASE_URL", "SMTP_HOST", "SIGNING", "JWT_KEY"}
VALUE = "hunter2-canary-9f8a7b"


@pytest.mark.parametrize(
    ("path", "text", "name"),
    [
        (".env", f"STRIPE_KEY={VALUE}\n", "STRIPE_KEY"),
        (".env", f"export STRIPE_KEY='{VALUE}' # live\r\n", "STRIPE_KEY"),
        ("deploy/prod.env", f"DB_PASSWORD={VALUE}\n", "DB_PASSWORD"),
        (".env.production", f"api_token={VALUE}\n", "api_token"),
        ("values.yaml", f"env:\n  STRIPE_KEY: {VALUE}\n", "STRIPE_KEY"),
        ("docker-compose.yml", f"environment:\n  - STRIPE_KEY={VALUE}\n", "STRIPE_KEY"),
        ("config.json", f'{{\n  "STRIPE_KEY": "{VALUE}",\n}}\n', "STRIPE_KEY"),
        ("README.md", f"run it with\n    STRIPE_KEY={VALUE}\n", "STRIPE_KEY"),
        ("run.sh", f"export DATABASE_URL=postgres://shop:{VALUE}@db.shop.svc:5432/shop\n", "DATABASE_URL"),
        ("a.toml", "SIGNING = 'q83vEjRWeJCrze8SNFZ4kA'\n", "SIGNING"),
    ],
)
def test_a_value_beside_the_name_of_a_key_is_told(path: str, text: str, name: str) -> None:
    assert [told for told, _ in given(text.encode(), path, KEYS.__contains__)] == [name]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".env.example", f"STRIPE_KEY={VALUE}\n"),
        ("values.yaml", f"db_password: {VALUE}\n"),  # any name may be the name of something
        (".env", "STRIPE_KEY=\n"),
        (".env", "STRIPE_KEY=changeme123\n"),
        (".env", "STRIPE_KEY=sk_test_xxxxxxxxxxxxx\n"),
        (".env", "STRIPE_KEY=${STRIPE_KEY_1}\n"),
        ("app.yaml", "STRIPE_KEY: '{{ .stripe_key_1 }}'\n"),
        ("app.yaml", "STRIPE_KEY: <your key 1>\n"),
        ("app.yaml", "STRIPE_KEY: STRIPE_KEY_2\n"),
        ("app.yaml", "STRIPE_KEY: stripe-api-key\n"),
        ("app.yaml", "STRIPE_KEY: ENC[AES256_GCM,data:abcdef1234]\n"),
        ("app.yaml", "STRIPE_KEY: vault:secret/data/shop1#key\n"),
        ("app.yaml", "SMTP_HOST: smtp.eu-west-1.amazonaws.com:587\n"),
        ("app.yaml", "DATABASE_URL: postgres://db.shop.svc:5432/shop\n"),
        ("app.yaml", "DATABASE_URL: postgres://postgres:postgres@localhost:5432/shop\n"),
        ("app.yaml", "JWT_KEY: /run/secrets/jwt_key_1\n"),
        ("app.yaml", "JWT_KEY: 1234567890123\n"),
        ("app.yaml", "JWT_KEY: aaaaaaaa1\n"),
        ("docs.md", "`STRIPE_KEY` is the key of Stripe, 24 characters.\n"),
        ("a.py", "JWT_KEY = os.environ['JWT_KEY_2']\n"),
    ],
)
def test_what_stands_for_a_value_is_none(path: str, text: str) -> None:
    assert list(given(text.encode(), path, KEYS.__contains__)) == []


def test_a_large_file_is_read_in_one_pass() -> None:
    assert list(given(b'A: "' * 500_000 + b"=" * 500_000, "a.yaml", KEYS.__contains__)) == []

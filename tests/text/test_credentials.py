from __future__ import annotations

import base64
import random
import string

import pytest
import yaml

from engine.text.credentials import entropy, find
from tests.conftest import ROOT

LISTED = yaml.safe_load((ROOT / "taxonomies/secrets.yaml").read_text(encoding="utf-8"))
SIGNS = {
    "alnum": string.ascii_letters + string.digits,
    "upper": string.ascii_uppercase + string.digits,
    "hex": "0123456789abcdef",
    "url": string.ascii_letters + string.digits + "-_",
    "base64": string.ascii_letters + string.digits + "+/",
    "dotted": string.ascii_letters + string.digits + "-_",
}


def kinds(text: str) -> list[str]:
    return [secret.kind for secret in find(text)]


def made(signs: str, length: int, seed: str) -> str:
    return "".join(random.Random(seed).choices(SIGNS[signs], k=length))


@pytest.mark.parametrize("kind", LISTED["keys"])
def test_every_listed_key_is_found_in_prose_and_code(kind):
    form = LISTED["keys"][kind]
    for start in form["starts"]:
        for length in form["length"]:
            key = start + made(form["signs"], length, start)
            for text in (f"use {key} here", f'x("{key}")', f"密钥{key}。", f"\u200f{key}\u200f"):
                [secret] = find(text)
                assert text[secret.start : secret.end] == key


@pytest.mark.parametrize(
    "text",
    [
        "password: {}",
        'API_KEY = "{}"',
        "{{'token': '{}'}}",
        "密码：{}",
        "пароль: {}",
        "كلمة المرور: {}",
        "पासवर्ड: {}",
        "รหัสผ่าน: {}",
        "nenosiri: {}",
        "Passwort={}",
        "Authorization token: Bearer {}",
        "secret is {}",
    ],
)
def test_an_announced_text_of_high_entropy_is_a_secret_in_many_languages(text):
    value = "pT7xQ2mZk9Lw4RvB"
    said = text.format(value)
    [secret] = find(said)
    assert secret.kind == "announced_secret" and said[secret.start : secret.end] == value


def test_private_keys_web_tokens_and_logins_are_found_by_form():
    block = base64.b64encode(random.Random(1).randbytes(300)).decode()
    assert kinds(f"-----BEGIN RSA PRIVATE KEY-----\n{block}\n-----END RSA PRIVATE KEY-----") == [
        "private_key"
    ]
    cut = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{block}"
    assert find(cut)[0].end == len(cut)
    token = f"eyJhbGciOiJIUzI1NiJ9.eyJ{made('url', 40, 'a')}.{made('url', 43, 'b')}"
    assert kinds(f"Cookie: {token}") == ["web_token"]
    assert kinds("postgres://app:S3cr3tPa55@db.corp.io/x") == ["password_in_url"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\x00\ud83d",
        "AKIAIOSFODNN7EXAMPLE",
        "api_key = 'YOUR_API_KEY_GOES_HERE_123'",
        "password = os.environ['DB_PASSWORD_2024_X']",
        "token: ${GITHUB_TOKEN_1234567890}",
        "api key: xxxxxxxxxxxxxxxx1234",
        "token: 550e8400-e29b-41d4-a716-446655440000",
        "commit 3f786850e387550fdab836ed7e6dc881de23001b",
        "sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "ghp_" + "a" * 36,
        "sk-learn and sk-short",
        "postgres://user:password@db.corp.io, redis://:secret@localhost:6379",
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA",
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        "The password must have 12 characters and be changed yearly.",
        "password = getPasswordFromTheVaultOfTheHouse()",
        "密码必须至少包含十二个字符",
        "คำว่ารหัสผ่านหมายถึง",
    ],
)
def test_what_stands_for_a_key_or_is_none_is_left_alone(text):
    assert find(text) == []


def test_secrets_do_not_overlap_and_come_in_order():
    key = "ghp_" + made("alnum", 36, "k")
    text = f'token: "{key}" and password=pT7xQ2mZk9Lw4RvB'
    assert kinds(text) == ["github_token", "announced_secret"]


def test_entropy_is_in_bits_a_sign():
    assert entropy("aaaa") == 0 and entropy("abab") == 1 and entropy("0123456789abcdef") == 4
    assert entropy("") == 0 and entropy("ก" * 9 + "ข" * 9) == 1

// Taking secrets out of what a device shows, before it is kept or printed. Better a harmless word too much than a password.

const replacement = '[redacted]'

/** The text, with `[redacted]` in the place of what follows the first group of a pattern. Patterns carry the flags `gm`. */
export function withoutSecrets(text: string, patterns: readonly RegExp[]): string {
  return patterns.reduce((left, pattern) => left.replace(pattern, `$1${replacement}`), text)
}

/** `ftp://user:password@host/path`. */
const inAddresses = /(:\/\/[^\s/:@]*:)(?!\[redacted\]@)[^\s/@]+(?=@)/gm

/**
 * Secrets in the configuration language that IOS and FRR share: from the word that announces one to the end of its line, since keys may hold blanks
 * and what follows them is never needed. `password`, `secret`, `key 7`, `md5 …`, `snmp-server community`, `authentication-key`.
 */
export const industrySecrets: readonly RegExp[] = [
  /((?:^|[ \t])(?:password|passwd|passphrase|secret|key-string|pre-shared-key|(?:authentication|server|session|shared|set|auth|priv|wep|static-wep)-key|password-encrypt|pmk|cak|(?:area|domain|isis)-password|encrypted|md5|hmac-\S+|ascii-text|hexadecimal|wpa-psk|psk|shared-secret)[ \t]+)(?!\[redacted\])\S[^\n]*/gim,
  /((?:^|[ \t])key[ \t]+)(?!chain\b|config-key\b|\[redacted\])\S[^\n]*/gim,
  // `standby 1 authentication WORD`, `vrrp 1 authentication text WORD`; without a number it is a mode, not a secret.
  /((?:^|[ \t])(?:standby|vrrp|glbp|nhrp)(?:[ \t]+\d+)?[ \t]+(?:cisco-)?authentication[ \t]+)(?!\[redacted\])\S[^\n]*/gim,
  /((?:^|[ \t])authentication[ \t]+(?:string|text|simple)[ \t]+)(?!\[redacted\])\S[^\n]*/gim,
  // `ipv6 ospf authentication ipsec spi 256 sha1 7 KEY`, `… encryption ipsec spi 1001 esp aes-cbc 128 7 KEY sha1 7 KEY`: all that the keys are for goes too.
  /((?:^|[ \t])ipsec[ \t]+spi[ \t]+\d+[ \t]+)(?!\[redacted\])\S[^\n]*/gim,
  inAddresses,
  // `snmp-server host A version 2c COMMUNITY`, `snmp-server user … auth sha KEY priv aes 128 KEY`.
  /(^[ \t]*snmp-server[ \t]+(?:community|(?:host|user)[ \t]+\S+)[ \t]+)(?!\[redacted\])\S[^\n]*/gim,
]

/** Secrets in statements of Junos: encrypted ones by their form, others by the word in front of them. */
export const junosSecrets: readonly RegExp[] = [
  /(\$(?:1|5|6|8|9|sha1)\$)[^\s";]+/gm,
  /((?:^|[ \t])(?:[a-z-]*password|[a-z-]*secret|[a-z-]*passphrase|authentication-data|ascii-text|hexadecimal|cak|community-name|(?:[a-z-]+-)?key)[ \t]+)(?!\[redacted\]|ascii-text\b|hexadecimal\b|cak\b|ckn\b)(?:"[^"\n]*"|[^\s;]+)/gm,
  // `ntp authentication-key 1 type md5 value KEY`: behind a number, which the pattern above takes for the key.
  /((?:^|[ \t])authentication-key (?:(?![ \t]authentication-key )[^\n])*?[ \t]value[ \t]+)(?!\[redacted\])(?:"[^"\n]*"|[^\s;]+)/gm,
  inAddresses,
  /((?:^|[ \t])snmp (?:v3 )?(?:community|trap-group)[ \t]+)(?!\[redacted\])(?:"[^"\n]*"|[^\s;]+)/gm,
]

// Secrets as values that can't be printed by accident, and where they come from: the environment and files that the inventory names.

import { readFile } from 'node:fs/promises'
import { inspect } from 'node:util'
import type { Auth } from '../inventory/model.ts'
import { AgentError } from './errors.ts'

/** Named values: usually `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A text that logs, JSON and error messages show as `[redacted]`. A class, because that is where such methods are looked up. */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** The text itself, for the one place that needs it. */
  reveal(): string {
    return this.#text
  }

  /** What JSON shows. */
  toJSON(): string {
    return '[redacted]'
  }

  /** What string conversion shows. */
  toString(): string {
    return '[redacted]'
  }

  /** What `util.inspect`, and so a log, shows. */
  [inspect.custom](): string {
    return '[redacted]'
  }
}

/** What a login is made with. */
export type Credentials =
  | { readonly kind: 'key'; readonly privateKey: Secret; readonly passphrase?: Secret }
  | { readonly kind: 'password'; readonly password: Secret }
  | { readonly kind: 'agent'; readonly socket: string }

/** Finds what an inventory's `auth` names. Refuses with `credentials_missing`, naming the variable or file and never its content. */
export async function credentialsFor(auth: Auth, environment: Environment): Promise<Credentials> {
  switch (auth.kind) {
    case 'key': {
      const privateKey = await keyFile(auth.privateKeyFile)
      return auth.passphraseEnv === undefined
        ? { kind: 'key', privateKey }
        : { kind: 'key', privateKey, passphrase: fromEnvironment(auth.passphraseEnv, environment) }
    }
    case 'password':
      return { kind: 'password', password: fromEnvironment(auth.passwordEnv, environment) }
    case 'agent': {
      const socket = environment['SSH_AUTH_SOCK']
      if (socket === undefined || socket === '') {
        throw new AgentError(
          'credentials_missing',
          'the inventory says `auth: { agent: true }`, but SSH_AUTH_SOCK is not set: expected the socket of a running ssh-agent',
        )
      }
      return { kind: 'agent', socket }
    }
  }
}

/** The value of an environment variable that the inventory names. */
export function fromEnvironment(name: string, environment: Environment): Secret {
  const text = environment[name]
  if (text === undefined || text === '') {
    const found = text === undefined ? 'is not set' : 'is empty'
    throw new AgentError(
      'credentials_missing',
      `environment variable ${name} ${found}, expected the secret that the inventory names it for`,
    )
  }
  return new Secret(text)
}

async function keyFile(path: string): Promise<Secret> {
  try {
    return new Secret(await readFile(path, 'utf8'))
  } catch (cause) {
    throw new AgentError('credentials_missing', `private key ${path} ${whyNot(cause)}`, { cause })
  }
}

function whyNot(cause: unknown): string {
  const code = cause instanceof Error ? Reflect.get(cause, 'code') : undefined
  switch (code) {
    case 'ENOENT':
      return 'is not there, expected the file that the inventory names'
    case 'EACCES':
      return 'may not be read by the account of nullroute, expected one that owns it'
    case 'EISDIR':
      return 'is a folder, expected the key itself'
    default:
      return `can't be read (${cause instanceof Error ? cause.message : String(cause)})`
  }
}

/** The fault of a private key that an SSH library would not take: which key, and why in the words of whoever has to mend it. */
export function unusableKey(
  of: { readonly address: string; readonly username: string; readonly auth: Auth },
  cause: unknown,
): AgentError {
  const file = of.auth.kind === 'key' ? `${of.auth.privateKeyFile} ` : ''
  const why = keyFault(cause instanceof Error ? cause.message : String(cause))
  const message = `the private key ${file}for ${of.username}@${of.address} can't be used: ${why}`
  return new AgentError('credentials_missing', message, { cause })
}

function keyFault(words: string): string {
  if (/no passphrase/i.test(words)) {
    return 'it is encrypted, and the inventory names no passphraseEnv'
  }
  if (/bad passphrase|integrity check failed|bad decrypt|Unsupported state/i.test(words)) {
    return 'the passphrase in the variable that passphraseEnv names does not open it'
  }
  if (/Unsupported key format/i.test(words)) {
    return 'found no private key that is known, expected one in OpenSSH or PEM form (`ssh-keygen -t ed25519` makes it)'
  }
  if (/does not contain a \(valid\) private key/i.test(words)) {
    return 'found a public key, expected the private one that belongs to it'
  }
  return words
}

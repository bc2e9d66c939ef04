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
          'the inventory says `auth: { agent: true }`, but SSH_AUTH_SOCK is not set',
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
    throw new AgentError('credentials_missing', `environment variable ${name} is not set`)
  }
  return new Secret(text)
}

async function keyFile(path: string): Promise<Secret> {
  try {
    return new Secret(await readFile(path, 'utf8'))
  } catch (cause) {
    throw new AgentError('credentials_missing', `private key ${path} can't be read`, { cause })
  }
}

// `nullroute token create|list|revoke`: with --data or --config on the folder itself, also before the first start and beside a running controller; without it through the API.

import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { monotonicFactory } from 'ulid'
import { systemClock } from '../../agent/clock.ts'
import type { Actor } from '../audit/record.ts'
import { loadConfig } from '../config.ts'
import { createToken, revokeToken } from '../desk/tokens.ts'
import { databaseName, openStore } from '../store/sqlite.ts'
import { type Role, roles, type Store, type TokenRow } from '../store/store.ts'
import { createClient } from './client.ts'
import { CliError, type Context, exitCodes, remark, say, sayJson, usageError } from './context.ts'
import type { Expiry } from './options.ts'
import { styleFor, table, time } from './print.ts'

/** What a new token is to be, as the command line has it. */
export interface CreateOptions {
  readonly name: string
  readonly role: readonly string[]
  readonly person?: string
  readonly expires?: Expiry
  readonly data?: string
  readonly config?: string
  readonly json?: boolean
}

/** Where to look, and how to answer. */
export interface TokenOptions {
  readonly data?: string
  readonly config?: string
  readonly json?: boolean
}

/** A token as it may be shown: everything but the secret. */
interface TokenView {
  readonly id: string
  readonly name: string
  readonly person: string
  readonly roles: readonly string[]
  readonly createdAt: string
  readonly expiresAt?: string
  readonly revokedAt?: string
  readonly madeBy?: { readonly id: string; readonly person?: string }
}

/** Makes a token; prints the secret, once, as the only line of standard output. Exit code 0. */
export async function createTokenHere(context: Context, options: CreateOptions): Promise<number> {
  const wanted = options.role.map(role)
  const more = {
    ...(options.person === undefined ? {} : { person: options.person }),
    ...(options.expires === undefined ? {} : { expiresAt: expiry(options.expires) }),
  }
  if (wanted.includes('approver') && options.person === undefined) {
    throw usageError(
      'the role approver needs --person EMAIL: nobody approves what the same person asked for, whatever the token',
    )
  }
  const request = { name: options.name, roles: wanted, ...more }
  const folder = await folderOf(options)
  const made =
    folder === undefined
      ? await createClient(context).post<TokenView & { readonly token: string }>('/v1/tokens', {
          body: request,
        })
      : await onFolder(context, { ...folder, create: true }, async (store) => {
          const { row, token } = await createToken(
            store,
            { actor: localActor(), id: monotonicFactory()(), at: systemClock.now().toISOString() },
            request,
          )
          return { ...viewOf(row), token }
        })
  if (options.json === true) {
    sayJson(context, made)
    return exitCodes.done
  }
  remark(
    context,
    `Token ${made.id} for ${made.name} (${made.roles.join(', ')}; ${made.person}). It is shown this once; keep it as NULLROUTE_TOKEN:`,
  )
  say(context, made.token)
  return exitCodes.done
}

/** Prints all tokens, without their secrets. Exit code 0. */
export async function listTokens(context: Context, options: TokenOptions): Promise<number> {
  const folder = await folderOf(options)
  const items =
    folder === undefined
      ? await createClient(context).list<TokenView>('/v1/tokens', {}, listMax)
      : await onFolder(context, folder, async (store) =>
          store.read((rows) => rows.tokens()).map(viewOf),
        )
  if (options.json === true) {
    sayJson(context, items)
    return exitCodes.done
  }
  const style = styleFor(context.stdout, context.environment)
  say(
    context,
    table(
      style,
      ['ID', 'NAME', 'PERSON', 'ROLES', 'MADE', 'BY', 'UNTIL'],
      items.map((token) => [
        token.id,
        token.name,
        token.person,
        token.roles.join(' '),
        time(token.createdAt),
        token.madeBy?.person ?? token.madeBy?.id ?? '-',
        token.revokedAt === undefined ? time(token.expiresAt) : `revoked ${time(token.revokedAt)}`,
      ]),
    ),
  )
  return exitCodes.done
}

/** Ends a token at once; one that is ended already stays so. Exit code 0. */
export async function revokeTokenHere(
  context: Context,
  id: string,
  options: TokenOptions,
): Promise<number> {
  const folder = await folderOf(options)
  const revoked =
    folder === undefined
      ? await createClient(context).delete<TokenView>(`/v1/tokens/${encodeURIComponent(id)}`)
      : await onFolder(context, folder, async (store) =>
          viewOf(
            await revokeToken(
              store,
              { actor: localActor(), at: systemClock.now().toISOString() },
              id,
            ),
          ),
        )
  if (options.json === true) sayJson(context, revoked)
  else
    say(
      context,
      `Token ${revoked.id} (${revoked.name}) is revoked since ${time(revoked.revokedAt)}`,
    )
  return exitCodes.done
}

const listMax = 10_000

/** A data folder, and the name of a log that begins in it. */
interface Folder {
  readonly folder: string
  readonly origin?: string
}

/** The folder that is meant; undefined where the controller is to be asked. */
async function folderOf({ data, config }: TokenOptions): Promise<Folder | undefined> {
  if (config === undefined) return data === undefined ? undefined : { folder: data }
  const read = await loadConfig({ config, ...(data === undefined ? {} : { data }) })
  return { folder: read.data, ...(read.origin === undefined ? {} : { origin: read.origin }) }
}

/** Runs on a data folder. Only `create` makes one: a wrong path would else look like an empty controller. */
async function onFolder<T>(
  context: Context,
  where: Folder & { readonly create?: boolean },
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const dir = resolve(where.folder)
  const isNew = !existsSync(join(dir, databaseName))
  if (isNew && where.create !== true) {
    throw new CliError(
      exitCodes.refused,
      'data_invalid',
      `${where.folder} holds no data of a controller: give the folder that \`nullroute serve\` uses with --data`,
    )
  }
  const { origin } = where
  const more = origin === undefined ? {} : { origin }
  const store = openStore({ dir, as: 'command', clock: systemClock, ...more })
  try {
    if (isNew) remark(context, firstLogKey(store, dir))
    return await work(store)
  } finally {
    store.close()
  }
}

/** What is said once of a new log's key. */
export function firstLogKey(store: Pick<Store, 'log'>, dir: string): string {
  return `A new audit log begins in ${dir}: it held none. Whoever checks it later needs its key from another place than the log: keep a copy of\n  ${store.log().vkey}`
}

/** On the folder itself nobody has logged in: the account of this machine did it. */
function localActor(): Actor {
  return { kind: 'person', id: `local:${accountName()}` }
}

function accountName(): string {
  try {
    return userInfo().username
  } catch {
    // An account without an entry in the password file, as in containers.
    return `uid ${process.getuid?.() ?? '?'}`
  }
}

function viewOf({ sha256: _sha256, ...row }: TokenRow): TokenView {
  return row
}

function role(text: string): Role {
  const found = roles.find((one) => one === text)
  if (found !== undefined) return found
  throw usageError(`--role: found "${text}", expected one of ${roles.join(', ')}`)
}

/** A span from now, or a point in time → RFC 3339 in UTC with milliseconds. */
function expiry(given: Expiry): string {
  const now = systemClock.now()
  const at = given.kind === 'at' ? given.time : new Date(now.getTime() + given.ms).toISOString()
  if (at > now.toISOString()) return at
  throw usageError(
    `--expires: ${at} has passed (it is ${now.toISOString()}): the token would be dead at once; leave --expires out for one that lasts until it is revoked`,
  )
}

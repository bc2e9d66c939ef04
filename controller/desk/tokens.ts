// Credentials: made once, shown once, stored as a digest. Also used by `nullroute token` on the data folder.

import { hash, randomBytes } from 'node:crypto'
import type { NewRecord } from '../audit/record.ts'
import { ControllerError } from '../errors.ts'
import { personName } from '../person.ts'
import type { Role, Rows, Store, TokenRow } from '../store/store.ts'

/** What a new token is for. */
export interface TokenRequest {
  readonly name: string
  readonly person?: string
  readonly roles: readonly Role[]
  readonly expiresAt?: string
}

/** The digest under which a token is stored, hex. */
export function tokenDigest(token: string): string {
  return hash('sha256', token, 'hex')
}

/** Who makes a token. `person`: of the credential that asks; absent on the data folder itself, where nobody has logged in. */
export type TokenMaker = Pick<NewRecord, 'actor' | 'req'> & {
  readonly id: string
  readonly at: string
  readonly person?: string
}

/** Makes a token and answers it once: it can't be shown again. Throws ControllerError `invalid_request` where its end has passed or nothing of the person can be seen, and where an approver has no person, since four eyes are counted by person. */
export async function createToken(
  store: Store,
  who: TokenMaker,
  request: TokenRequest,
): Promise<{ readonly row: TokenRow; readonly token: string }> {
  if (request.roles.includes('approver') && request.person === undefined) {
    throw new ControllerError(
      'invalid_request',
      'a token with the role approver needs a person, so that nobody approves what he asked for himself: give --person EMAIL',
    )
  }
  if (request.expiresAt !== undefined && request.expiresAt <= who.at)
    throw endedAlready(request.expiresAt, who.at)
  const person = personName(request.person ?? request.name)
  if (person === '') throw nobody(request.person === undefined ? 'name' : 'person')
  const token = `nr_${randomBytes(32).toString('base64url')}`
  const row: TokenRow = {
    id: who.id,
    name: request.name,
    person,
    roles: request.roles,
    sha256: tokenDigest(token),
    createdAt: who.at,
    madeBy: { id: who.actor.id, ...(who.person === undefined ? {} : { person: who.person }) },
    ...(request.expiresAt === undefined ? {} : { expiresAt: request.expiresAt }),
  }
  await store.commit((tx) => {
    tx.putToken(row)
    tx.append({
      type: 'token.created',
      outcome: 'ok',
      actor: who.actor,
      ...(who.req === undefined ? {} : { req: who.req }),
      on: { token: row.id },
      data: {
        roles: row.roles,
        name: row.name,
        person: row.person,
        ...(who.person === undefined ? {} : { by: who.person }),
        createdAt: row.createdAt,
        ...(row.expiresAt === undefined ? {} : { expiresAt: row.expiresAt }),
      },
    })
  })
  return { row, token }
}

/** By whom a token was made, and by whom the credential that made it, and so on: persons and ids of tokens. A person who makes himself a second credential is still found behind it. */
export function makersOf(rows: Rows, id: string): readonly string[] {
  const tokens = new Map(rows.tokens().map((row) => [row.id, row]))
  const makers: string[] = []
  // A token is made by one that was there before it, so that this ends.
  for (let maker = tokens.get(id)?.madeBy; maker !== undefined; ) {
    makers.push(maker.id, ...(maker.person === undefined ? [] : [maker.person]))
    maker = tokens.get(maker.id)?.madeBy
  }
  return makers
}

function endedAlready(expiresAt: string, at: string): ControllerError {
  const message = `expected a time to come, found ${expiresAt}, which has passed (it is ${at}): leave expiresAt out for a token that lasts until it is revoked`
  return new ControllerError('invalid_request', `the token would be dead at once: ${message}`, {
    errors: [{ path: '/expiresAt', message }],
  })
}

function nobody(field: 'name' | 'person'): ControllerError {
  const message = 'expected a person that can be read, found only signs that nobody sees'
  return new ControllerError('invalid_request', `${field}: ${message}: give --person EMAIL`, {
    errors: [{ path: `/${field}`, message }],
  })
}

/** Ends a token at once; one that is ended already is answered as it is. Throws ControllerError `not_found`. */
export async function revokeToken(
  store: Store,
  who: Pick<NewRecord, 'actor' | 'req'> & { readonly at: string },
  id: string,
): Promise<TokenRow> {
  return store.commit((tx) => {
    const row = tx.tokens().find((token) => token.id === id)
    if (row === undefined) {
      throw new ControllerError(
        'not_found',
        `there is no token ${id}: \`nullroute token list\` shows all`,
      )
    }
    if (row.revokedAt !== undefined) return row
    const revoked = { ...row, revokedAt: who.at }
    tx.putToken(revoked)
    tx.append({
      type: 'token.revoked',
      outcome: 'ok',
      actor: who.actor,
      ...(who.req === undefined ? {} : { req: who.req }),
      on: { token: id },
      data: { roles: row.roles, revokedAt: who.at },
    })
    return revoked
  })
}

// Credentials: made once, shown once, stored as a digest. Also used by `nullroute token` on the data folder.

import { createHash, randomBytes } from 'node:crypto'
import type { NewRecord } from '../audit/record.ts'
import { ControllerError } from '../errors.ts'
import type { Role, Store, TokenRow } from '../store/store.ts'

/** What a new token is for. */
export interface TokenRequest {
  readonly name: string
  readonly person?: string
  readonly roles: readonly Role[]
  readonly expiresAt?: string
}

/** The digest under which a token is stored, hex. */
export function tokenDigest(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/** Makes a token and answers it once: it can't be shown again. Throws ControllerError `invalid_request` where an approver has no person, since four eyes are counted by person. */
export async function createToken(
  store: Store,
  who: Pick<NewRecord, 'actor' | 'req'> & { readonly id: string; readonly at: string },
  request: TokenRequest,
): Promise<{ readonly row: TokenRow; readonly token: string }> {
  if (request.roles.includes('approver') && request.person === undefined) {
    throw new ControllerError(
      'invalid_request',
      'a token with the role approver needs a person, so that nobody approves what he asked for himself: give --person EMAIL',
    )
  }
  const token = `nr_${randomBytes(32).toString('base64url')}`
  const row: TokenRow = {
    id: who.id,
    name: request.name,
    // One person must not count as two by the case of a letter.
    person: (request.person ?? request.name).toLowerCase(),
    roles: request.roles,
    sha256: tokenDigest(token),
    createdAt: who.at,
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
        ...(row.expiresAt === undefined ? {} : { expiresAt: row.expiresAt }),
      },
    })
  })
  return { row, token }
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
      data: { roles: row.roles },
    })
    return revoked
  })
}

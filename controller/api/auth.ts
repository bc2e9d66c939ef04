// Who asks, and whether he may: a bearer token against the stored digests, and the roles that each route declares.
// There is no other credential and no default actor.

import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import type { Clock } from '../../agent/clock.ts'
import type { Caller } from '../controller.ts'
import { tokenDigest } from '../desk/tokens.ts'
import { ControllerError } from '../errors.ts'
import { type Role, roles, type Store, type TokenRow } from '../store/store.ts'
import type { Refusals } from './refusals.ts'

/** Who may use a route. `hidden`: to other roles what it shows does not exist (404), it is not forbidden (403). */
export type Access =
  | { readonly kind: 'public' }
  | { readonly kind: 'roles'; readonly roles: readonly Role[]; readonly hidden?: true }

/** No token needed: nothing about devices, customers or decisions is behind it. */
export const open: Access = { kind: 'public' }

/** Any valid token. */
export const everyone: Access = { kind: 'roles', roles }

/** Only tokens with one of these roles. */
export function only(...allowed: readonly Role[]): Access {
  return { kind: 'roles', roles: allowed }
}

/** To other roles, as if it were not there. */
export function hiddenBut(...allowed: readonly Role[]): Access {
  return { kind: 'roles', roles: allowed, hidden: true }
}

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
  }
  interface FastifyRequest {
    caller: Caller | null
  }
}

/** A route as it was registered. */
export interface KnownRoute {
  readonly method: string
  readonly url: string
  readonly access: Access
}

/** Collects every route from here on, and refuses at start-up one that does not say who may use it. */
export function knownRoutes(
  app: FastifyInstance,
  openPrefixes: readonly string[],
): readonly KnownRoute[] {
  const known: KnownRoute[] = []
  app.addHook('onRoute', (route: RouteOptions) => {
    if (
      route.config?.access === undefined &&
      openPrefixes.some((prefix) => route.url.startsWith(prefix))
    ) {
      route.config = { ...route.config, access: open }
    }
    const access = route.config?.access
    if (access === undefined) {
      throw new TypeError(
        `the route ${String(route.method)} ${route.url} does not declare its access`,
      )
    }
    for (const method of [route.method].flat()) known.push({ method, url: route.url, access })
  })
  return known
}

/** What authentication needs. */
export interface Gate {
  readonly store: Store
  readonly clock: Clock
  readonly refusals: Refusals
}

/** Checks each request before its body is read: 401 without a valid token, 403 (or 404) without a role. */
export function authenticate(app: FastifyInstance, gate: Gate): void {
  app.decorateRequest('caller', null)
  app.addHook('onRequest', async (request, reply) => {
    if (request.is404) return
    const access = request.routeOptions.config.access
    if (access?.kind === 'public') return
    const found = lookUp(gate, request.headers.authorization)
    if ('why' in found) throw refuse(gate, request, reply, found.why)
    const { row } = found
    request.caller = {
      actor: { kind: 'token', id: row.id, roles: row.roles, name: row.name, from: request.ip },
      token: row.id,
      person: row.person,
      roles: row.roles,
      request: request.id,
    }
    if (access === undefined || !access.roles.some((role) => row.roles.includes(role))) {
      throw deny(gate, request, request.caller, access)
    }
  })
}

/** Whether the token of a request that goes on for long would still be let in: it may have been revoked since, or have ended. */
export function isStillLetIn(
  gate: Pick<Gate, 'store' | 'clock'>,
  request: Pick<FastifyRequest, 'headers'>,
): boolean {
  return 'row' in lookUp(gate, request.headers.authorization)
}

/** Who asks. Only for routes that are not public. */
export function callerOf(request: FastifyRequest): Caller {
  if (request.caller === null) throw new TypeError(`${request.url} was reached without a caller`)
  return request.caller
}

const whys = {
  no_token: 'a token is needed: send Authorization: Bearer <token>',
  malformed:
    'the Authorization header holds no token of nullroute: send Authorization: Bearer nr_…',
  unknown: 'this token is not known here: ask an admin for one of this controller',
  expired: 'this token has expired: ask an admin for a new one',
  revoked: 'this token was revoked: ask an admin for a new one',
} as const
type Why = keyof typeof whys

function lookUp(
  gate: Pick<Gate, 'store' | 'clock'>,
  header: string | undefined,
): { readonly row: TokenRow } | { readonly why: Why } {
  if (header === undefined) return { why: 'no_token' }
  const token = /^Bearer (nr_[A-Za-z0-9_-]{43})$/i.exec(header)?.[1]
  if (token === undefined) return { why: 'malformed' }
  const row = gate.store.read((rows) => rows.tokenByHash(tokenDigest(token)))
  if (row === undefined) return { why: 'unknown' }
  if (row.revokedAt !== undefined) return { why: 'revoked' }
  if (row.expiresAt !== undefined && Date.parse(row.expiresAt) <= gate.clock.now().getTime()) {
    return { why: 'expired' }
  }
  return { row }
}

function refuse(
  gate: Gate,
  request: FastifyRequest,
  reply: FastifyReply,
  why: Why,
): ControllerError {
  const where = { method: request.method, route: request.routeOptions.url ?? '' }
  gate.refusals.note(`refused ${request.ip}`, (count) => ({
    type: 'auth.refused',
    outcome: 'refused',
    actor: { kind: 'anonymous', id: '-', from: request.ip },
    on: {},
    req: { id: request.id },
    data: { ...where, why, count },
  }))
  const error = why === 'no_token' ? '' : ', error="invalid_token"'
  reply.header('www-authenticate', `Bearer realm="nullroute"${error}`)
  return new ControllerError('unauthenticated', whys[why])
}

function deny(
  gate: Gate,
  request: FastifyRequest,
  caller: Caller,
  access: Extract<Access, { kind: 'roles' }> | undefined,
): ControllerError {
  const needs = access?.roles ?? []
  const where = { method: request.method, route: request.routeOptions.url ?? '' }
  gate.refusals.note(`denied ${caller.token} ${where.method} ${where.route}`, (count) => ({
    type: 'auth.denied',
    outcome: 'refused',
    actor: caller.actor,
    on: {},
    req: { id: request.id },
    data: { ...where, needs, count },
  }))
  return access?.hidden === true
    ? new ControllerError('not_found', 'there is nothing here that this token may see')
    : new ControllerError(
        'forbidden',
        `this needs one of the roles ${needs.join(', ')}, this token has ${caller.roles.join(', ')}: ask somebody who may`,
        { needs: [...needs] },
      )
}

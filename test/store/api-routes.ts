// The public contract as data: each call in scope, who may make it, and a request that is right. Written from the contract, not from the code.

import { type Role, roles } from '../../controller/store/store.ts'
import { decisionBody, sha256 } from './api-world.ts'

/** One call of the contract. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** As in OpenAPI. */
  readonly path: string
  /** undefined: no token needed. */
  readonly roles: readonly Role[] | undefined
  /** Status of a right request. */
  readonly status: number
  readonly body?: Readonly<Record<string, unknown>>
  /** The body may be left out. */
  readonly bodyOptional?: true
  readonly query?: string
  /** What this shows does not exist for other roles. */
  readonly hidden?: true
}

const reason = { reason: 'the customer has cleaned up' }

/** All calls. Paths with `{id}` get one of a thing that exists. */
export const calls: readonly Call[] = [
  {
    method: 'POST',
    path: '/v1/plans',
    roles: ['abuse', 'engineer', 'admin'],
    status: 200,
    body: decisionBody,
  },
  { method: 'GET', path: '/v1/plans/{id}', roles, status: 200 },
  {
    method: 'POST',
    path: '/v1/enforcements',
    roles: ['abuse', 'admin'],
    status: 202,
    body: decisionBody,
  },
  { method: 'GET', path: '/v1/enforcements', roles, status: 200 },
  { method: 'GET', path: '/v1/enforcements/{id}', roles, status: 200 },
  { method: 'GET', path: '/v1/enforcements/{id}/events', roles, status: 200 },
  {
    method: 'POST',
    path: '/v1/enforcements/{id}/approve',
    roles: ['approver', 'admin'],
    status: 202,
    body: { digest: sha256, ...reason },
  },
  {
    method: 'POST',
    path: '/v1/enforcements/{id}/reject',
    roles: ['approver', 'admin'],
    status: 202,
    body: reason,
  },
  {
    method: 'POST',
    path: '/v1/enforcements/{id}/release',
    roles: ['abuse', 'admin'],
    status: 202,
    body: reason,
  },
  {
    method: 'POST',
    path: '/v1/enforcements/{id}/extend',
    roles: ['abuse', 'admin'],
    status: 202,
    body: { expiresAt: '2026-12-07T00:00:00.000Z', ...reason },
  },
  {
    method: 'POST',
    path: '/v1/enforcements/{id}/retry',
    roles: ['abuse', 'admin'],
    status: 202,
    body: { devices: ['trigger1'] },
    bodyOptional: true,
  },
  {
    method: 'GET',
    path: '/v1/enforcements/{id}/transcripts',
    roles: ['engineer', 'auditor', 'admin'],
    status: 200,
    hidden: true,
  },
  {
    method: 'GET',
    path: '/v1/artifacts/{sha256}',
    roles: ['engineer', 'auditor', 'admin'],
    status: 200,
    hidden: true,
  },
  { method: 'GET', path: '/v1/customers', roles, status: 200 },
  { method: 'GET', path: '/v1/customers/{id}', roles, status: 200 },
  { method: 'GET', path: '/v1/lookup', roles, status: 200, query: 'ip=203.0.113.9' },
  { method: 'GET', path: '/v1/devices', roles, status: 200 },
  { method: 'GET', path: '/v1/devices/{id}', roles, status: 200 },
  { method: 'POST', path: '/v1/devices/{id}/check', roles: ['engineer', 'admin'], status: 202 },
  {
    method: 'POST',
    path: '/v1/devices/{id}/reconcile',
    roles: ['engineer', 'admin'],
    status: 202,
    body: {},
    bodyOptional: true,
  },
  {
    method: 'POST',
    path: '/v1/devices/{id}/adopt',
    roles: ['admin'],
    status: 202,
    body: { keys: ['port|p1'], ...reason },
  },
  { method: 'POST', path: '/v1/freeze', roles: ['engineer', 'admin'], status: 200, body: reason },
  { method: 'DELETE', path: '/v1/freeze', roles: ['engineer', 'admin'], status: 204 },
  { method: 'POST', path: '/v1/clock/acknowledge', roles: ['engineer', 'admin'], status: 204 },
  { method: 'GET', path: '/v1/status', roles, status: 200 },
  {
    method: 'GET',
    path: '/v1/audit',
    roles: ['auditor', 'admin'],
    status: 200,
    query: 'action=enforcement.requested',
  },
  { method: 'GET', path: '/v1/playbooks', roles, status: 200 },
  { method: 'POST', path: '/v1/inventory/reload', roles: ['engineer', 'admin'], status: 200 },
  { method: 'GET', path: '/v1/me', roles, status: 200 },
  { method: 'GET', path: '/v1/tokens', roles: ['admin'], status: 200 },
  {
    method: 'POST',
    path: '/v1/tokens',
    roles: ['admin'],
    status: 201,
    body: { name: 'robot', roles: ['abuse'] },
  },
  { method: 'DELETE', path: '/v1/tokens/{id}', roles: ['admin'], status: 200 },
  { method: 'GET', path: '/healthz', roles: undefined, status: 200 },
  { method: 'GET', path: '/readyz', roles: undefined, status: 200 },
  { method: 'GET', path: '/metrics', roles, status: 200 },
]

// Reading the audit log and what it refers to. Reading the log is itself logged.

import { z } from 'zod'
import type { LogQuery, Rows } from '../store/store.ts'
import { callerOf, hiddenBut, only } from './auth.ts'
import { type Api, type ApiContext, notFound, pageOfMore, problems, sendRaw } from './context.ts'
import {
  ArtifactPath,
  AuditPage,
  AuditQuery,
  TranscriptPage,
  TranscriptsQuery,
  UlidPath,
} from './schema.ts'
import { auditEntryView } from './views-audit.ts'

/** GET /v1/audit, GET /v1/enforcements/{id}/transcripts, GET /v1/artifacts/{sha256}. */
export function auditRoutes(app: Api, context: ApiContext): void {
  searchRoute(app, context)
  transcriptsRoute(app, context)
  artifactRoute(app, context)
}

function searchRoute(app: Api, { controller }: ApiContext): void {
  app.route({
    method: 'GET',
    url: '/v1/audit',
    config: { access: only('auditor', 'admin') },
    schema: {
      summary: 'Searches the audit log, newest first; all that is given must hold',
      tags: ['audit'],
      querystring: AuditQuery,
      response: { 200: AuditPage, ...problems },
    },
    handler: async (request) => {
      const { limit, cursor, ...filter } = request.query
      const found = controller.store.read((rows) => rows.log(logQuery(request.query)))
      const { items, ...more } = pageOfMore(found, limit, ({ seq }) => String(seq))
      // Turning a page is part of the search that was logged with its first.
      if (cursor === undefined) {
        const caller = callerOf(request)
        await controller.store.commit((tx) => {
          tx.append({
            type: 'log.searched',
            outcome: 'ok',
            actor: caller.actor,
            on: {},
            req: { id: caller.request },
            data: { filter: given(filter), rows: items.length },
          })
        })
      }
      return { items: items.map((entry) => auditEntryView(entry, true)), ...more }
    },
  })
}

function transcriptsRoute(app: Api, { controller }: ApiContext): void {
  app.route({
    method: 'GET',
    url: '/v1/enforcements/:id/transcripts',
    config: { access: hiddenBut('engineer', 'auditor', 'admin') },
    schema: {
      summary: 'What was said to each device, and what it answered; oldest first',
      tags: ['audit'],
      params: UlidPath,
      querystring: TranscriptsQuery,
      response: { 200: TranscriptPage, ...problems },
    },
    handler: async (request) => {
      const { id } = request.params
      const { limit, cursor, device } = request.query
      const after = cursor === undefined ? -1 : Number(cursor)
      return controller.store.read((rows) => {
        if (rows.enforcement(id) === undefined) throw notFound('enforcement', id)
        const found = rows
          .artifactsOf(id)
          .filter((one) => one.kind === 'transcript' && one.seq > after)
          .filter((one) => device === undefined || one.device === device)
        const { items, ...more } = pageOfMore(found, limit, ({ seq }) => String(seq))
        return {
          items: items.map((one) => ({
            seq: one.seq,
            ...(one.device === undefined ? {} : { device: one.device }),
            sha256: one.sha256,
            text: textOf(rows, one.sha256),
          })),
          ...more,
        }
      })
    },
  })
}

function artifactRoute(app: Api, { controller }: ApiContext): void {
  app.route({
    method: 'GET',
    url: '/v1/artifacts/:sha256',
    config: { access: hiddenBut('engineer', 'auditor', 'admin') },
    schema: {
      summary: 'A stored plan, difference, read-back, transcript or statement, byte for byte',
      tags: ['audit'],
      params: ArtifactPath,
      response: {
        200: {
          description: 'its bytes: their SHA-256 is the one asked for',
          content: { 'text/plain': { schema: z.string() } },
        },
        ...problems,
      },
    },
    handler: async (request, reply) => {
      const { sha256 } = request.params
      const bytes = controller.store.read((rows) => rows.artifact(sha256))
      if (bytes === undefined) throw notFound('artifact', sha256)
      reply.header('cache-control', 'private, max-age=31536000, immutable')
      return sendRaw(reply, 'text/plain; charset=utf-8', Buffer.from(bytes))
    },
  })
}

function logQuery(query: AuditQuery): LogQuery {
  const { limit, cursor, action, ...filter } = query
  return {
    ...given(filter),
    ...(action === undefined ? {} : { type: action }),
    ...(cursor === undefined ? {} : { before: Number(cursor) }),
    limit: limit + 1,
  }
}

function given(filter: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(filter).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

// The first line of an artifact is its header: kind and salt.
function textOf(rows: Rows, sha256: string): string {
  const bytes = rows.artifact(sha256)
  if (bytes === undefined) return ''
  const text = Buffer.from(bytes).toString('utf8')
  return text.slice(text.indexOf('\n') + 1)
}

// Every refusal and fault of the API as problem+json (RFC 9457) with a stable code. What a client did wrong is never a 500.

import { STATUS_CODES } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AgentError } from '../../agent/errors.ts'
import { ControllerError, type ControllerErrorCode, controllerErrors } from '../errors.ts'
import type { Problem, RequestProblem } from './schema.ts'

/** Media type of every error. */
export const problemType = 'application/problem+json'

/** A request that does not fit its schema. The server learns which part of it by `validationContext`. */
export class RequestInvalid extends Error {
  override readonly name = 'RequestInvalid'
  readonly problems: readonly RequestProblem[]
  /** Set by Fastify: body, params, querystring or headers. */
  validationContext?: string

  constructor(problems: readonly RequestProblem[]) {
    super('the request does not fit its schema')
    this.problems = problems
  }
}

/** An answer that says what went wrong. `unexpected`: it belongs into the log, with its error. */
export interface ProblemAnswer {
  readonly status: number
  readonly problem: Problem
  readonly unexpected: boolean
}

/** What a request did wrong before any code of ours saw it: Fastify's code → ours. */
const fastifyCodes: Readonly<Record<string, readonly [ControllerErrorCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [
    'too_large',
    'the body is longer than api.bodyLimitBytes of the controller allows: send less, or have it raised',
  ],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'unsupported_media_type',
    'the body must be JSON, found another Content-Type or none: send Content-Type: application/json',
  ],
  FST_ERR_CTP_EMPTY_TYPE: [
    'unsupported_media_type',
    'the body must be JSON, found another Content-Type or none: send Content-Type: application/json',
  ],
  FST_ERR_CTP_INVALID_TYPE: [
    'unsupported_media_type',
    'the body must be JSON, found another Content-Type or none: send Content-Type: application/json',
  ],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    'malformed_json',
    'the body is not as long as Content-Length says',
  ],
  FST_ERR_BAD_URL: ['not_found', 'the path is no valid URL'],
  FST_ERR_MAX_PARAM_LENGTH: ['not_found', 'a part of the path is longer than any id'],
  FST_ERR_NOT_FOUND: ['not_found', 'there is nothing at this path'],
}

const partNames: Readonly<Record<string, string>> = {
  body: 'body',
  params: 'path',
  querystring: 'query',
  headers: 'header',
}

/** Any error → what the client is told. `request`: id of the request. */
export function problemOf(error: unknown, request: string): ProblemAnswer {
  if (error instanceof RequestInvalid) return invalidAnswer(error, request)
  if (error instanceof ControllerError) {
    return answer(error.code, error.message, { request, members: error.detail })
  }
  if (error instanceof AgentError && error.code === 'busy') {
    return answer('overloaded', error.message, { request })
  }
  if (error instanceof AgentError) {
    return answer('agent_failed', error.message, {
      request,
      members: { agentCode: error.code, remedy: error.remedy },
    })
  }
  const known = fastifyCodes[codeOf(error)]
  if (known !== undefined) return answer(known[0], known[1], { request })
  const status = statusOf(error)
  if (status >= 400 && status < 500) {
    return answer('invalid_request', 'the request could not be read', { request })
  }
  return answer(
    'internal',
    `something went wrong inside the controller; its log says more under request ${request}`,
    { request },
  )
}

/** Answers a request with a problem, and logs the ones that are ours. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { status, problem, unexpected } = problemOf(error, request.id)
  if (unexpected) request.log.error({ err: error, code: problem.code }, 'request failed')
  if (status === 503 && reply.getHeader('retry-after') === undefined) reply.header('retry-after', 5)
  // As bytes: a response schema strips what it does not name, and these members depend on the code; and to text Fastify adds a charset, which this type does not have.
  reply
    .code(status)
    .type(problemType)
    .send(Buffer.from(JSON.stringify(problem)))
}

function invalidAnswer(error: RequestInvalid, request: string): ProblemAnswer {
  const part = partNames[error.validationContext ?? 'body'] ?? 'body'
  const errors = error.problems.map(({ path, message }) => ({ path, message }))
  const first = errors[0] ?? { path: '', message: 'does not fit' }
  const where = first.path === '' ? '' : ` at ${first.path}`
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  return answer('invalid_request', `the ${part} is invalid${where}: ${first.message}${more}`, {
    request,
    members: { errors },
  })
}

function answer(
  code: ControllerErrorCode,
  detail: string,
  about: { readonly request: string; readonly members?: Readonly<Record<string, unknown>> },
): ProblemAnswer {
  const { status } = controllerErrors[code]
  return {
    status,
    unexpected: status >= 500,
    problem: {
      ...about.members,
      type: `urn:nullroute:problem:${code}`,
      title: STATUS_CODES[status] ?? code,
      status,
      detail,
      instance: about.request,
      code,
    },
  }
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
}

function statusOf(error: unknown): number {
  return typeof error === 'object' && error !== null && 'statusCode' in error
    ? Number(error.statusCode)
    : 500
}

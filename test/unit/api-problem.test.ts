// What a client is told of an error, and what it is not told.

import { describe, expect, it } from 'vitest'
import { AgentError } from '../../agent/errors.ts'
import { problemOf, RequestInvalid } from '../../controller/api/problem.ts'
import {
  ControllerError,
  type ControllerErrorCode,
  controllerErrors,
} from '../../controller/errors.ts'

const request = '01ARZ3NDEKTSV4RRFFQ69G5FAV'
// The table's own keys.
const codes = Object.keys(controllerErrors) as ControllerErrorCode[]

describe('a problem', () => {
  it.each(codes)(
    'of code %s has the status of the table, and its own members beside the standard ones',
    (code) => {
      const { status, problem } = problemOf(
        new ControllerError(code, 'why', { hit: ['x'] }),
        request,
      )
      expect(status).toBe(controllerErrors[code].status)
      expect(problem).toMatchObject({
        type: `urn:nullroute:problem:${code}`,
        status,
        code,
        detail: 'why',
        instance: request,
        hit: ['x'],
      })
    },
  )

  it('never lets a detail take the place of a standard member', () => {
    const fault = new ControllerError('not_found', 'why', {
      status: 200,
      code: 'fine',
      detail: 'x',
    })
    expect(problemOf(fault, request).problem).toMatchObject({
      status: 404,
      code: 'not_found',
      detail: 'why',
    })
  })

  it('of a device says what the device’s agent found and what to do', () => {
    const { status, problem, unexpected } = problemOf(
      new AgentError('timeout', 'no answer'),
      request,
    )
    expect({ status, unexpected }).toEqual({ status: 502, unexpected: true })
    expect(problem).toMatchObject({
      code: 'agent_failed',
      agentCode: 'timeout',
      remedy: expect.stringContaining('deadlineMs'),
    })
  })

  it.each([
    new Error('password is hunter2'),
    'hunter2',
    undefined,
    null,
    { code: 'X', message: 'hunter2' },
  ])('of a fault inside tells only where to look: %#', (fault) => {
    const { status, problem, unexpected } = problemOf(fault, request)
    expect({ status, code: problem.code, unexpected }).toEqual({
      status: 500,
      code: 'internal',
      unexpected: true,
    })
    expect(JSON.stringify(problem)).not.toContain('hunter2')
    expect(problem.detail).toContain(request)
  })

  it('of a request names the part, the first problem and how many more there are', () => {
    const fault = new RequestInvalid([
      { path: '/limit', message: 'expected a number' },
      { path: '/x', message: 'there is no field "x" here' },
    ])
    fault.validationContext = 'querystring'
    expect(problemOf(fault, request).problem).toMatchObject({
      code: 'invalid_request',
      detail: 'the query is invalid at /limit: expected a number (and 1 more)',
      errors: [{ path: '/limit' }, { path: '/x' }],
    })
  })
})

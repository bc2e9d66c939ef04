// What goes wrong between the program and the controller, as one error that says what to do next.

import { CliError, type Context, exitCodes } from './context.ts'

/** An answer that did not come, as an error: of Ctrl-C, or of a controller that can't be reached. */
export function unreachable(context: Context, base: string, fault: unknown): CliError {
  if (context.signal.aborted) {
    return new CliError(exitCodes.interrupted, 'interrupted', 'interrupted')
  }
  const cause = fault instanceof Error && fault.cause instanceof Error ? fault.cause : fault
  // From Node 24 on a fault of the parser has no code any more.
  const reason = cause instanceof Error ? String(Reflect.get(cause, 'code') ?? cause.name) : ''
  const code = reason === 'ECONNREFUSED' ? 'refused' : 'unreachable'
  const known = reachFaults.find(([pattern]) => pattern.test(reason))
  const words = cause instanceof Error ? cause.message || reason : String(cause)
  const [, why, remedy] = known ?? [undefined, words, anyRemedy]
  return new CliError(
    exitCodes.unreachable,
    code,
    `can't reach the controller at ${base} (${why}): ${remedy}`,
  )
}

const anyRemedy = 'is `nullroute serve` running, and is NULLROUTE_URL right?'

/** Codes of Node and OpenSSL, whose own words differ from version to version → what was found, and what to do. */
const reachFaults: readonly (readonly [RegExp, string, string])[] = [
  [/^ECONNREFUSED$/, 'nobody listens there', anyRemedy],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'there is no host of that name', 'correct NULLROUTE_URL'],
  [
    /^(ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG|EPROTO)$/,
    'what listens there does not speak TLS',
    'begin NULLROUTE_URL with http:// if that is what it speaks',
  ],
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY)$/,
    'nobody that is trusted here has signed its certificate',
    'name the certificate of its authority in NODE_EXTRA_CA_CERTS',
  ],
  [
    /^CERT_HAS_EXPIRED$/,
    'its certificate has expired',
    'renew the certificate of the controller or its proxy',
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    'its certificate is for another name',
    'write NULLROUTE_URL with the name that the certificate has',
  ],
  [
    /^(HPE_|HTTPParserError$)/,
    'what answers there is not HTTP',
    'begin NULLROUTE_URL with https:// if that is what it speaks',
  ],
]

/** That something answers at the address, and it is no controller. */
export function notNullroute(base: string, found: string): CliError {
  return new CliError(
    exitCodes.unreachable,
    'not_nullroute',
    `${base} answered ${found}, expected a nullroute controller: correct NULLROUTE_URL, or look at the proxy before it`,
  )
}

// What can't be as it was called is a usage error, as the controller's own table has it; everything else a refusal.
const usageCodes: readonly string[] = ['invalid_request', 'malformed_json']

/** An answer that is a problem, as an error. */
export function problem(status: number, text: string, base: string): CliError {
  const body = problemBody(text)
  if (body === undefined) return notNullroute(base, `${status} and no problem+json`)
  const code = String(body['code'])
  const detail = typeof body['detail'] === 'string' ? body['detail'] : `HTTP ${status}`
  const errors = Array.isArray(body['errors']) ? body['errors'].map(requestError) : []
  const message = errors.length === 0 ? detail : ['the request is invalid:', ...errors].join('\n  ')
  const remedy = typeof body['remedy'] === 'string' ? `\n  ${body['remedy']}` : remedies[code]
  const exit = usageCodes.includes(code) ? exitCodes.usage : exitCodes.refused
  return new CliError(exit, code, `${message}${remedy ?? ''}`, body)
}

/** What to do about refusals whose texts don't say it. */
const remedies: Readonly<Record<string, string>> = {
  unauthenticated:
    '\n  NULLROUTE_TOKEN is not a token of this controller, or has ended: make one with `nullroute token create --data DIR --name NAME --role ROLE`',
  rate_limited: '\n  wait a minute, then ask less often',
  duplicate_suspected:
    '\n  look at it with `nullroute status ID`; to decide the same once more, wait a minute',
  unknown_customer: '\n  `nullroute lookup ADDRESS` says whose an address is',
  unknown_device: '\n  `nullroute device list` shows all devices',
  same_person: '\n  ask a colleague who has a token with the role approver',
  own_approver:
    '\n  ask an approver whose token another admin made; `nullroute token list` shows who made which',
  plan_stale: '\n  make a new plan with --dry-run, and review it',
}

function problemBody(text: string): Readonly<Record<string, unknown>> | undefined {
  const body = parsed(text)
  return typeof body === 'object' && body !== null && 'code' in body ? { ...body } : undefined
}

/** A JSON text, or undefined where it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** JSON Pointers of a request → the flags that fill them. */
const flags: readonly (readonly [RegExp, string])[] = [
  [/^\/reason\/(category|summary|ticket)$/, '--$1'],
  [/^\/reason\/evidence.*$/, '--evidence'],
  [/^\/expiresAt$/, '--expires'],
  [/^\/(playbook|digest|reason)$/, '--$1'],
  [/^\/planId$/, '--plan'],
  [/^\/override.*$/, '--override'],
  [/^\/subject\/customer$/, 'CUSTOMER'],
  [/^\/subject\/(prefix|port|neighbor).*$/, '--$1'],
  [/^\/(ip)$/, 'ADDRESS'],
  [/^\/id$/, 'ID'],
]

function requestError(error: unknown): string {
  const { path, message } = error as { readonly path: string; readonly message: string }
  const flag = flags.find(([pattern]) => pattern.test(path))
  const place = flag === undefined ? path || 'the request' : path.replace(flag[0], flag[1])
  return `${place}: ${message}`
}

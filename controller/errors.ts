// What the controller refuses or fails at: one table, code → HTTP status and exit code.

/** Codes are contract: add, never rename or reuse. */
export const controllerErrors = {
  invalid_request: { status: 422, exit: 2 },
  unauthenticated: { status: 401, exit: 1 },
  forbidden: { status: 403, exit: 1 },
  not_found: { status: 404, exit: 1 },
  method_not_allowed: { status: 405, exit: 1 },
  too_large: { status: 413, exit: 1 },
  unsupported_media_type: { status: 415, exit: 1 },
  malformed_json: { status: 400, exit: 1 },
  too_slow: { status: 408, exit: 1 },
  rate_limited: { status: 429, exit: 1 },
  overloaded: { status: 503, exit: 1 },
  internal: { status: 500, exit: 1 },
  // decisions
  unknown_customer: { status: 422, exit: 1 },
  unknown_device: { status: 422, exit: 1 },
  unknown_playbook: { status: 422, exit: 1 },
  playbook_mismatch: { status: 422, exit: 1 },
  not_one_customer: { status: 422, exit: 1 },
  nothing_to_enforce: { status: 422, exit: 1 },
  no_device: { status: 422, exit: 1 },
  unsupported_intent: { status: 422, exit: 1 },
  message_invalid: { status: 422, exit: 1 },
  too_long: { status: 422, exit: 1 },
  guard_refused: { status: 422, exit: 1 },
  override_not_allowed: { status: 403, exit: 1 },
  // enforcements
  plan_stale: { status: 409, exit: 1 },
  digest_mismatch: { status: 409, exit: 1 },
  not_in_force: { status: 409, exit: 1 },
  not_awaiting: { status: 409, exit: 1 },
  same_person: { status: 403, exit: 1 },
  own_approver: { status: 403, exit: 1 },
  idempotency_mismatch: { status: 422, exit: 1 },
  duplicate_suspected: { status: 409, exit: 1 },
  stale: { status: 409, exit: 1 },
  // inventory
  inventory_invalid: { status: 422, exit: 1 },
  // the machine
  audit_unavailable: { status: 503, exit: 1 },
  data_in_use: { status: 503, exit: 1 },
  data_invalid: { status: 500, exit: 1 },
  config_invalid: { status: 500, exit: 2 },
  agent_failed: { status: 502, exit: 1 },
  stopping: { status: 503, exit: 1 },
} as const satisfies Record<string, { readonly status: number; readonly exit: number }>

/** Stable code of a refusal or fault. */
export type ControllerErrorCode = keyof typeof controllerErrors

/** A refusal or fault of the controller. `detail` is shown to the client: no secrets. */
export class ControllerError extends Error {
  override readonly name = 'ControllerError'
  readonly code: ControllerErrorCode
  readonly detail: Readonly<Record<string, unknown>>

  constructor(
    code: ControllerErrorCode,
    message: string,
    detail: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(message, cause === undefined ? {} : { cause })
    this.code = code
    this.detail = detail
  }
}

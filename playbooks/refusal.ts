// Why a decision can't be compiled: a value with a code of the public contract, not an error.

/** A no of the compiler. */
export interface CompileRefusal {
  readonly kind: 'refused'
  readonly code:
    | 'unknown_customer'
    | 'unknown_device'
    | 'not_one_customer'
    | 'playbook_mismatch'
    | 'nothing_to_enforce'
    | 'no_device'
    | 'message_invalid'
  readonly message: string
}

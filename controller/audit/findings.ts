// What a check of the log can find. Pure.

/** Stored nowhere, printed by `audit verify`: kinds are contract, add, never rename. */
type FindingKind =
  | 'altered'
  | 'removed'
  | 'inserted'
  | 'doubled'
  | 'reordered'
  | 'truncated'
  | 'unsealed tail'
  | 'malformed'
  | 'time'
  | 'chain'
  | 'disclosure'
  | 'artifact'
  | 'row'
  | 'head'

/** One thing that is wrong, and where. */
export interface Finding {
  readonly kind: FindingKind
  /** First (or only) entry that it is about. */
  readonly seq?: number
  /** Last entry, where it is about several. */
  readonly to?: number
  readonly message: string
}

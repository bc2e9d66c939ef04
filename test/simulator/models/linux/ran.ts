// What a command of the simulated host came to.

/** Output, errors, exit status. */
export interface Ran {
  readonly out: string
  readonly err: string
  readonly status: number
  /** Output and errors as they came, where one command printed both by turns: what a terminal shows. */
  readonly shown?: string
}

/** It went well. */
export function ran(out: string): Ran {
  return { out, err: '', status: 0 }
}

/** It did not. */
export function fail(status: number, err: string): Ran {
  return { out: '', err, status }
}

/** What stood before the object of an `ip` command. */
export interface IpOptions {
  readonly json: boolean
  readonly details: boolean
  /** `-o`: one entry, one line. */
  readonly oneLine: boolean
  /** A line of a batch, for which the kernel is less strict. */
  readonly batched: boolean
  readonly family: 4 | 6 | undefined
  readonly root: boolean
}

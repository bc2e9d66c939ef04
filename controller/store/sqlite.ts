// The embedded store: one SQLite database in the data folder, beside the log's key and the lock that keeps a second controller out.

import type { Clock } from '../../agent/clock.ts'
import { ControllerError } from '../errors.ts'
import type { Store } from './store.ts'

/** How a data folder is opened. */
export interface StoreOptions {
  /** The data folder; made where it isn't there. */
  readonly dir: string
  /** A controller has the folder for itself; commands open it beside one. */
  readonly as: 'controller' | 'command'
  /** The log's origin, for the first start (`<a domain of yours>/<anything>`); default `nullroute.invalid/<new id>`. Later it must be the same. */
  readonly origin?: string
  readonly clock: Clock
  /** How long a commit waits for another process's, in ms; default 5,000. It stops the event loop. */
  readonly busyTimeoutMs?: number
  /** Called when the disk failed to keep what it was given (a failed fsync): nothing can be believed any more, and the process should end. */
  readonly onBroken?: (error: ControllerError) => void
}

/** Opens the store of a data folder and makes it at the first start: database, log key, entry 0. Throws ControllerError `data_in_use`, `data_invalid` or `config_invalid`. */
export function openStore(options: StoreOptions): Store {
  throw new ControllerError('internal', `${options.dir} can't be opened yet`)
}

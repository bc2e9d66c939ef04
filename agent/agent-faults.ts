// What went wrong in a step of a device agent: in the log for who runs nullroute, and as a fault of the dialogue for everyone else.

import type { Device } from '../inventory/model.ts'
import { AgentError, internalFault } from './errors.ts'
import type { Platform } from './platform.ts'

/** Where an agent writes what an operator of nullroute should see. pino fits. */
export interface AgentLog {
  info(detail: object, message: string): void
  warn(detail: object, message: string): void
}

/** Whose step it was, and where that is written. */
interface At {
  readonly device: Device
  readonly platform: Platform
  readonly log: AgentLog
}

/** Why a step ended. Of a mistake of ours, or a book that could not be written, the log has the whole, with where it was thrown. */
export function faultOf(at: At, error: unknown): AgentError {
  const { device, log, platform } = at
  if (!(error instanceof AgentError)) {
    logBroken(at, error)
    return internalFault(error, (text) => platform.redact(text))
  }
  if (error.code === 'internal') logBroken(at, error.cause)
  else log.warn({ device: device.id, code: error.code }, error.message)
  return error
}

/** What was thrown, for who has to mend it. */
export function logBroken({ device, log }: Pick<At, 'device' | 'log'>, err: unknown): void {
  log.warn({ device: device.id, err }, 'a step of the device agent failed')
}

// `nullroute audit verify --data`: the whole log of a data folder, entry by entry; also while a controller writes to it.

import type { Finding } from '../audit/findings.ts'
import { ControllerError } from '../errors.ts'
import { verifyData } from '../store/verify.ts'
import { CliError, type Context, exitCodes, remark, say, sayJson } from './context.ts'
import { count } from './print.ts'

/** Exit code 0 for a whole log, 1 with its findings, 4 where it can't be read at all. */
export function verifyLogOf(
  context: Context,
  data: string,
  options: { readonly json?: boolean },
): number {
  const report = read(data)
  const exit = report.findings.length === 0 ? exitCodes.done : exitCodes.refused
  if (options.json === true) {
    sayJson(context, { ok: exit === exitCodes.done, ...report })
    return exit
  }
  for (const finding of report.findings) say(context, printFinding(finding))
  if (exit === exitCodes.done) {
    say(
      context,
      `The audit log is whole: ${count(report.size, 'entry', 'entries')}, root ${report.root}`,
    )
  } else {
    remark(
      context,
      `\nThe audit log is not what was written: ${count(report.findings.length, 'finding')} in ${count(report.size, 'entry', 'entries')}. Keep the folder as it is, and compare it with a backup.`,
    )
  }
  return exit
}

function read(data: string): ReturnType<typeof verifyData> {
  try {
    return verifyData(data)
  } catch (fault) {
    if (!(fault instanceof ControllerError)) throw fault
    throw new CliError(exitCodes.unreachable, fault.code, fault.message, fault.detail)
  }
}

/** `altered, entry 12: …`, `removed, entries 12 to 14: …`. */
function printFinding({ kind, seq, to, message }: Finding): string {
  const place =
    seq === undefined
      ? ''
      : to === undefined || to === seq
        ? `, entry ${seq}`
        : `, entries ${seq} to ${to}`
  return `${kind}${place}: ${message}`
}

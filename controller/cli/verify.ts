// `nullroute audit verify --data`: the whole log of a data folder, entry by entry; also while a controller writes to it.

import type { Finding } from '../audit/findings.ts'
import { ControllerError } from '../errors.ts'
import { type DataReport, verifyFolder } from '../store/verify.ts'
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
    say(context, counted(report))
  } else {
    say(context, counted(report))
    remark(context, `\n${verdict(report)} Keep the folder as it is, and compare it with a backup.`)
  }
  return exit
}

function read(data: string): DataReport {
  try {
    return verifyFolder(data)
  } catch (fault) {
    if (!(fault instanceof ControllerError)) throw fault
    throw new CliError(exitCodes.unreachable, fault.code, fault.message, fault.detail)
  }
}

function verdict({ findings, size }: DataReport): string {
  const ofLog = findings.filter(({ kind }) => kind !== 'row').length
  const ofRows = findings.length - ofLog
  const entries = count(size, 'entry', 'entries')
  const log =
    ofLog === 0
      ? `The audit log itself is whole (${entries})`
      : `The audit log is not what was written: ${count(ofLog, 'finding')} in ${entries}`
  return ofRows === 0
    ? `${log}.`
    : `${log}; what the controller works with is not what the log says: ${count(ofRows, 'finding')}.`
}

function counted({ artifacts, disclosures }: DataReport): string {
  const kept = `  ${count(artifacts.kept, 'artifact')}: ${artifacts.missing} missing, ${artifacts.wrong} with another digest`
  return `${kept}; ${count(disclosures.kept, 'disclosure')}: ${disclosures.missing} withheld or erased, ${disclosures.wrong} with another digest`
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

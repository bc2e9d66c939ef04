// Lengths of time as people write them in playbooks: `14d`, `12h`, `30m`, `90s`.

import type { Parsed } from '../inventory/prefix.ts'

const unitsMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

/** Longest that may be written, in days: ten years. */
const daysMax = 3660

/** `14d` → ms. One whole number above 0 and one unit of s, m, h, d, w. */
export function parseDuration(text: string): Parsed<number> {
  const match = /^([1-9]\d{0,8})([smhdw])$/.exec(text)
  const [, count, unit] = match ?? []
  if (count === undefined || unit === undefined) {
    return { ok: false, problem: `"${text}" is no duration: ${hint(text)}` }
  }
  // The pattern leaves only the units of the table.
  const ms = Number(count) * unitsMs[unit as keyof typeof unitsMs]
  if (ms > daysMax * unitsMs.d) {
    return { ok: false, problem: `"${text}" is longer than ${daysMax} days` }
  }
  return { ok: true, value: ms }
}

function hint(text: string): string {
  if (/^\d+$/.test(text)) return `a unit is missing (${text}d, ${text}h, ${text}m or ${text}s)`
  if (text.startsWith('0')) return 'it must be above 0'
  if (/^\d+[.,]\d+/.test(text)) return 'whole numbers only (36h rather than 1.5d)'
  if (/^\d+\s+\w/.test(text)) return 'no blank between number and unit'
  if (/^(\d+[smhdw]){2,}$/.test(text)) return 'one unit only (36h rather than 1d12h)'
  return 'a whole number and one of s, m, h, d, w, like 14d or 12h'
}

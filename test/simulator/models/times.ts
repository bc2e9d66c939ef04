// Times as systems print them.

/** `Fri Nov 27 11:48:28 2026`, as in a `Last login` line. */
export function loginTime(at: Date): string {
  const [day, date, month, year, time] = at.toUTCString().replace(',', '').split(' ')
  return `${day} ${month} ${String(Number(date)).padStart(2)} ${time} ${year}`
}

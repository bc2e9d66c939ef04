// Numbers in names of ports: a system that reads them as numbers takes leading zeros.

/** `ge-0/00/01.00` → `ge-0/0/1.0` */
export function withoutLeadingZeros(name: string): string {
  return name.replace(/(?<!\d)0+(?=\d)/g, '')
}

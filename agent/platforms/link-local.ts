// Addresses that a Linux kernel makes by itself, once more each time the interface comes up.

/** Whether an IPv6 address, written as devices write it, is link-local. */
export function isLinkLocal(address: string): boolean {
  return /^fe[89ab]/i.test(address)
}

/** Whether an address with its length is the link-local one that the kernel makes of a hardware address (EUI-64, RFC 4291). */
export function isMadeOf(mac: string | undefined, address: string): boolean {
  if (mac === undefined || !/^[\da-f]{2}(?::[\da-f]{2}){5}$/i.test(mac)) return false
  const [first = 0, ...rest] = mac.split(':').map((byte) => Number.parseInt(byte, 16))
  // The bit says "given by the vendor" in one and the contrary in the other.
  const bytes = [first ^ 2, ...rest.slice(0, 2), 0xff, 0xfe, ...rest.slice(2)]
  const group = (at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
  const [head = 0, ...tail] = [0, 2, 4, 6].map(group)
  // A leading zero is part of what `::` stands for; the two in the middle are never zero.
  const made = [...(head === 0 ? [] : [head]), ...tail].map((one) => one.toString(16)).join(':')
  return address.toLowerCase() === `fe80::${made}/64`
}

// When two names of ports mean one port, or one that the other takes down with it. How names are spelt is a platform's business, which is given as a parameter.

/** What this folder has to know of a platform. */
export interface PortNaming {
  /** The one name of a port, or undefined where the name may stand for several. */
  canonicalPort(name: string): string | undefined
  /** The platform of the system below it, where a device of that one may have the same endpoint. */
  readonly beside?: string
}

/** The platforms that a device may have, by name. */
export type KnownPlatforms = ReadonlyMap<string, PortNaming>

/** Whether both names are of the same port. */
export function samePort(one: string, other: string, naming: PortNaming | undefined): boolean {
  return nameOf(one, naming) === nameOf(other, naming)
}

/** Whether shutting `port` stops `other` too: it is the same, or a unit or sub-interface of it (`ge-0/0/0.100` of `ge-0/0/0`), or carried by unit 0 alone, as all of an untagged port is. */
export function takesDown(port: string, other: string, naming: PortNaming | undefined): boolean {
  const [ours, theirs] = [nameOf(port, naming), nameOf(other, naming)]
  return ours === theirs || theirs.startsWith(`${ours}.`) || ours === `${theirs}.0`
}

function nameOf(port: string, naming: PortNaming | undefined): string {
  return naming?.canonicalPort(port) ?? port
}

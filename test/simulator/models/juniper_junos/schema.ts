// The part of the Junos configuration that the model knows: what may stand where. A statement that is not here is a syntax error, as on the device.

/** What a word of a statement is. */
export type Schema =
  /** Holds statements. `presence`: means something when it is empty. */
  | { readonly kind: 'container'; readonly presence?: true; readonly children: Children }
  /** A name in front of statements: `route X`, `term X`. */
  | {
      readonly kind: 'list'
      readonly children: Children
      readonly key?: RegExp
      /** An entry means nothing by itself, and goes with the last statement in it. */
      readonly implied?: true
    }
  /** One value. `many`: several may stand beside each other. */
  | { readonly kind: 'leaf'; readonly many?: true }
  | { readonly kind: 'flag' }

/** Statements by their word. `*`: any word, which is then the name of the entry. */
export type Children = { readonly [word: string]: Schema }

const leaf: Schema = { kind: 'leaf' }
const leaves: Schema = { kind: 'leaf', many: true }
const flag: Schema = { kind: 'flag' }
const list = (children: Children = {}, key?: RegExp): Schema => ({
  kind: 'list',
  children,
  ...(key === undefined ? {} : { key }),
})
const container = (children: Children): Schema => ({ kind: 'container', children })

/** A mark that every level accepts. */
const macro: Children = { 'apply-macro': list({ '*': leaf }) }

const prefix = /^[0-9a-fA-F.:]+\/\d{1,3}$/
const address = /^[0-9a-fA-F.:]+$/

const staticRoutes = container({
  defaults: container({ tag: leaf, preference: leaf, metric: leaf, community: leaves }),
  route: list(
    {
      'next-hop': leaves,
      discard: flag,
      reject: flag,
      tag: leaf,
      preference: leaf,
      metric: leaf,
      community: leaves,
      'no-readvertise': flag,
      'no-install': flag,
      description: leaf,
      ...macro,
    },
    prefix,
  ),
  ...macro,
})

const routingOptions = container({
  rib: { kind: 'list', children: { static: staticRoutes }, implied: true },
  static: staticRoutes,
  'router-id': leaf,
  'autonomous-system': leaf,
})

const shutdown: Schema = {
  kind: 'container',
  presence: true,
  children: { ...macro, 'notify-message': leaf },
}

const session: Children = {
  type: leaf,
  description: leaf,
  'local-address': leaf,
  'authentication-key': leaf,
  import: leaves,
  family: list({ unicast: { kind: 'container', presence: true, children: {} } }),
  export: leaves,
  'peer-as': leaf,
  shutdown,
  ...macro,
}

const protocols = container({
  bgp: container({
    group: list({ ...session, neighbor: list(session, address) }),
    export: leaves,
    shutdown,
    ...macro,
  }),
})

const conditions = container({
  protocol: leaves,
  tag: leaf,
  'prefix-list': list(),
  address: list({}, /^[0-9a-fA-F.:]+(?:\/\d+)?$/),
  community: leaves,
  'route-filter': leaves,
})

const actions = container({
  count: leaf,
  'local-preference': leaf,
  'next-hop': leaf,
  community: container({ add: leaves }),
  accept: flag,
  reject: flag,
  discard: flag,
})

// Made of pairs: a property written as `then` would let the object pass for a promise.
const statements = (pairs: readonly (readonly [string, Schema])[]): Children =>
  Object.fromEntries(pairs)

const term = statements([
  ['from', conditions],
  ['then', actions],
])

const interfaces: Children = {
  ...macro,
  description: leaf,
  disable: flag,
  mtu: leaf,
  'gigether-options': container({ '802.3ad': leaf }),
  unit: list({
    description: leaf,
    disable: flag,
    'vlan-id': leaf,
    family: list({
      address: list({ 'vrrp-group': list({ 'authentication-key': leaf }) }, prefix),
      filter: container({ input: leaf, output: leaf, 'input-list': leaves, 'output-list': leaves }),
      vlan: container({ members: leaves }),
      'interface-mode': leaf,
    }),
    ...macro,
  }),
}

/** All that may stand at the top. */
const rootSchema: Children = {
  version: leaf,
  system: container({
    'host-name': leaf,
    'root-authentication': container({ 'encrypted-password': leaf }),
    login: container({
      class: list({ permissions: leaves, 'deny-commands': leaf, 'deny-configuration': leaf }),
      user: list({
        uid: leaf,
        class: leaf,
        authentication: container({ 'encrypted-password': leaf, 'ssh-ed25519': leaf }),
      }),
    }),
    services: container({ ssh: { kind: 'container', presence: true, children: {} } }),
    ntp: container({ server: list() }),
  }),
  interfaces: container({ '*': list(interfaces) }),
  'policy-options': container({
    'prefix-list': list({ 'apply-path': leaf, '*': list() }),
    'policy-statement': list({ term: list(term), ...term }),
    community: list({ members: leaves }),
  }),
  firewall: container({
    family: list({ filter: list({ 'interface-specific': flag, term: list(term), ...macro }) }),
  }),
  'routing-instances': container({
    '*': list({
      'instance-type': leaf,
      interface: list(),
      'route-distinguisher': leaf,
      'vrf-target': leaf,
      'routing-options': routingOptions,
      protocols,
    }),
  }),
  'routing-options': routingOptions,
  protocols,
}

/** The same without what came with 19.1: shutting a neighbor. */
export function schemaOf(version: string): Children {
  const [major = 99, minor = 0] = version.split(/[^\d]+/).map(Number)
  if (major > 19 || (major === 19 && minor >= 1)) return rootSchema
  return withoutWord(rootSchema, 'shutdown')
}

function withoutWord(children: Children, word: string): Children {
  return Object.fromEntries(
    Object.entries(children)
      .filter(([name]) => name !== word)
      .map(([name, schema]) => [
        name,
        'children' in schema ? { ...schema, children: withoutWord(schema.children, word) } : schema,
      ]),
  )
}

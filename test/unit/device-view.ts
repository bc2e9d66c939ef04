// A device as the API shows it, for what the program prints of one.

import type { DeviceView } from '../../controller/api/schema.ts'

/** A device on which nothing is to be told. */
export function deviceView(more: Partial<DeviceView> = {}): DeviceView {
  return {
    id: 'edge1',
    platform: 'frr',
    address: '10.0.0.1',
    port: 22,
    roles: [],
    state: 'up',
    save: 'always',
    unsaved: false,
    drift: false,
    intents: [],
    orphans: [],
    unwanted: [],
    ...more,
  }
}

import { describe, it } from 'vitest'
import { checkIdentity } from './identity.ts'
import { juniperJunos } from './priors.ts'
import { checkUnion } from './union.ts'

describe('a Junos device', () => {
  it('is after suspend and release what it was before, whatever operators left there', () =>
    checkIdentity(juniperJunos))

  it('holds exactly the union of what is in force, whatever came and went in whatever order', () =>
    checkUnion(juniperJunos))
})

import { describe, it } from 'vitest'
import { checkIdentity } from './identity.ts'
import { frr } from './priors.ts'
import { checkUnion } from './union.ts'

describe('a FRR router', () => {
  it('is after suspend and release what it was before, whatever operators left there', () =>
    checkIdentity(frr))

  it('holds exactly the union of what is in force, whatever came and went in whatever order', () =>
    checkUnion(frr))
})

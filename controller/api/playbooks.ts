// What a decision may use.

import { categories, type Playbook } from '../../playbooks/model.ts'
import { everyone } from './auth.ts'
import { type Api, type ApiContext, pageById, problems } from './context.ts'
import { PageQuery, PlaybookPage, type PlaybookView } from './schema.ts'
import { optional } from './views.ts'

/** GET /v1/playbooks. */
export function playbookRoutes(app: Api, { controller }: ApiContext): void {
  app.route({
    method: 'GET',
    url: '/v1/playbooks',
    config: { access: everyone },
    schema: {
      summary: 'Playbooks, by name, and the categories of a reason',
      tags: ['inventory'],
      querystring: PageQuery,
      response: { 200: PlaybookPage, ...problems },
    },
    handler: async ({ query }) => {
      const all = [...controller.playbooks().values()].map((playbook) => ({
        id: playbook.name,
        playbook,
      }))
      const { items, ...more } = pageById(all, query)
      return {
        items: items.map(({ playbook }) => playbookView(playbook)),
        ...more,
        categories: [...categories],
      }
    },
  })
}

function playbookView(playbook: Playbook): PlaybookView {
  const { canary, batch, stopAfterFailures } = playbook.rollout
  return {
    name: playbook.name,
    decision: playbook.decision,
    description: playbook.description,
    measures: playbook.measures.map((measure) => ({ ...measure })),
    rollout: { canary, batch, stopAfterFailures },
    approvals: playbook.approvals,
    ...optional('maxDurationMs', playbook.maxDurationMs),
    onFailure: playbook.onFailure,
    sha256: playbook.sha256,
  }
}

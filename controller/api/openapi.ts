// The OpenAPI 3.1 document, from the same schemas that the server checks with.

import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import {
  createJsonSchemaTransform,
  createJsonSchemaTransformObject,
} from 'fastify-type-provider-zod'
import { components } from './schema.ts'

const jsonSchemaTransform = createJsonSchemaTransform({ schemaRegistry: components })
const jsonSchemaTransformObject = createJsonSchemaTransformObject({ schemaRegistry: components })

/** Options of @fastify/swagger. */
export function openapiOptions(version: string): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'nullroute',
        version,
        description:
          'Cuts an abusive customer off a network, provably, and only that customer. Errors are application/problem+json (RFC 9457): decide by `code`. Lists are paged by `limit` and `cursor`. Times are RFC 3339 in UTC with milliseconds.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        securitySchemes: {
          token: {
            type: 'http',
            scheme: 'bearer',
            description: 'a token of `nullroute token create`',
          },
        },
      },
      tags: [
        { name: 'plans', description: 'dry runs' },
        { name: 'enforcements', description: 'decisions and what became of them' },
        { name: 'inventory', description: 'customers, addresses, playbooks' },
        { name: 'devices', description: 'routers and switches' },
        { name: 'audit', description: 'who did what, and what devices answered' },
        { name: 'tokens', description: 'credentials' },
        { name: 'controller', description: 'what holds everything' },
        { name: 'health', description: 'for supervisors and monitoring' },
      ],
    },
    transform: (input) => {
      const access = input.route.config?.access
      const result = jsonSchemaTransform(input)
      if (access === undefined || access.kind === 'public') return result
      const description = [input.schema?.description, `Roles: ${access.roles.join(', ')}.`].filter(
        (part) => part !== undefined,
      )
      return {
        ...result,
        schema: {
          ...result.schema,
          description: description.join(' '),
          security: [{ token: [] }],
        },
      }
    },
    transformObject: (input) => withoutUnused(jsonSchemaTransformObject(input)),
  }
}

type Document = ReturnType<typeof jsonSchemaTransformObject>

const place = '#/components/schemas/'

/** Every named schema comes twice, as input and as output. Only what is referred to stays, under its own name where that is free. */
function withoutUnused(document: Document): Document {
  if (!('components' in document) || document.components?.schemas === undefined) return document
  const { schemas } = document.components
  const used = new Set<string>()
  const visit = (value: unknown): void => {
    for (const name of referencesIn(value)) {
      if (used.has(name)) continue
      used.add(name)
      visit((schemas as Record<string, unknown>)[name])
    }
  }
  visit(document.paths)
  const names = new Map<string, string>()
  for (const name of used) {
    const plain = name.replace(/Input$/, '')
    names.set(name, plain !== name && !used.has(plain) ? plain : name)
  }
  const kept = Object.fromEntries(
    [...names].map(([name, shown]) => [shown, (schemas as Record<string, unknown>)[name]]),
  )
  const whole = { ...document, components: { ...document.components, schemas: kept } }
  // Text of our own making: every reference stands in it in this one form.
  return JSON.parse(
    JSON.stringify(whole).replaceAll(
      /"#\/components\/schemas\/([^"]+)"/g,
      (_all, name: string) => `"${place}${names.get(name) ?? name}"`,
    ),
  ) as Document
}

function referencesIn(value: unknown): readonly string[] {
  const text = JSON.stringify(value) ?? ''
  return [...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].flatMap(([, name]) => name ?? [])
}

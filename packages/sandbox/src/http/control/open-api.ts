import { TOKEN_HEADER } from '../api/api.js'
import type { ControlParameter, ControlRoute } from './control-route.js'

/** The control API as OpenAPI 3.1 describes it. */
export function toOpenApi(routes: readonly ControlRoute[]): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const route of routes) {
    paths[route.path] ??= {}
    paths[route.path]![route.method.toLowerCase()] = toOperation(route)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Control API of the Postmark sandbox',
      version: '1',
      description:
        'For tests in another process or language. The same port serves the REST API and the inbox page.',
    },
    servers: [{ url: 'http://127.0.0.1:8025' }],
    components: {
      securitySchemes: {
        password: { type: 'http', scheme: 'basic' },
        token: { type: 'apiKey', in: 'header', name: TOKEN_HEADER },
      },
      schemas: { Error: ERROR },
    },
    paths,
  }
}

function toOperation({ path, summary, parameters, answer, isOpen }: ControlRoute): object {
  const keys = parameters.filter((parameter) => parameter.in === 'body')
  const required = keys.filter((parameter) => parameter.required).map(({ name }) => name)
  const type = path === '/ca.pem' ? 'application/x-pem-file' : 'application/json'
  return {
    summary,
    security: isOpen ? [] : [{}, { password: [] }, { token: [] }],
    ...(keys.length < parameters.length && {
      parameters: parameters.filter((parameter) => parameter.in !== 'body').map(toParameter),
    }),
    ...(keys.length > 0 && {
      requestBody: {
        required: required.length > 0,
        content: {
          'application/json': {
            schema: {
              type: 'object',
              properties: Object.fromEntries(keys.map((key) => [key.name, toSchema(key)])),
              ...(required.length > 0 && { required }),
            },
          },
        },
      },
    }),
    responses: {
      200: { description: answer, content: { [type]: {} } },
      default: {
        description: '`ErrorCode` and `Message`, as in an error of Postmark',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  }
}

function toParameter(parameter: ControlParameter): object {
  const { name, in: place, summary, required } = parameter
  // A prefix is an object whose keys are separate parameters.
  if (name.endsWith('*'))
    return { name, in: place, description: summary, style: 'form', explode: true, schema: PREFIX }
  return { name, in: place, description: summary, ...(required && { required }), schema: toSchema(parameter) }
}

const ERROR = {
  type: 'object',
  properties: { ErrorCode: { type: 'integer' }, Message: { type: 'string' } },
  required: ['ErrorCode', 'Message'],
}
const PREFIX = { type: 'object', additionalProperties: { type: 'string' } }
const TYPES = {
  text: 'string',
  number: 'number',
  count: 'integer',
  flag: 'boolean',
  list: ['array', 'null'],
} as const

function toSchema({ type, values, summary, in: place }: ControlParameter): object {
  return {
    type: TYPES[type],
    ...(values && { enum: values }),
    ...(place === 'body' && { description: summary }),
  }
}

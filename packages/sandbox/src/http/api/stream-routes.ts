import { DEFAULT_STREAM, type SandboxStream } from '../../mail/stream.js'
import type { PostmarkServer } from '../../server/postmark-server.js'
import { SERVER_ID } from '../../server/webhook-samples.js'
import { API_CODES, apiError } from './api-error.js'
import type { ApiRequest, ApiRoute } from './api-route.js'
import { toEastern } from './eastern-time.js'
import { readDescription, readHandling, readName, readNewStream, typeName } from './stream-rules.js'

/** What the API shows of a stream without any effect on emails. */
interface StreamRecord {
  readonly description: string | null
  readonly handling: string
  readonly createdAt: Date
  readonly updatedAt: Date | undefined
  readonly archivedAt: Date | undefined
}

const PURGE_MS = 45 * 86_400_000

/** @see https://postmarkapp.com/developer/api/message-streams-api */
export function streamRoutes(server: PostmarkServer): ApiRoute[] {
  const startedAt = server.now()
  const records = new Map<string, StreamRecord>()
  const recordOf = ({ id, type, archived }: SandboxStream): StreamRecord =>
    records.get(id) ?? {
      description: null,
      handling: readHandling(undefined, type),
      createdAt: startedAt,
      updatedAt: undefined,
      archivedAt: archived ? startedAt : undefined,
    }
  const save = (stream: SandboxStream, record: StreamRecord) => {
    server.saveStream(stream)
    records.set(stream.id, record)
    return toJson(stream, record)
  }
  const show = (stream: SandboxStream) => toJson(stream, recordOf(stream))
  const find = (request: ApiRequest) => findStream(server, request.param('stream'))

  return [
    {
      method: 'GET',
      path: '/message-streams',
      handle({ query }) {
        const filter = query.withCode(API_CODES.streamType)
        const type =
          filter.choice('messagestreamtype', ['All', 'Inbound', 'Transactional', 'Broadcasts']) ?? 'All'
        const archived = filter.flag('includearchivedstreams') ?? false
        const streams = server.streams.filter(
          (stream) => (type === 'All' || typeName(stream.type) === type) && (archived || !stream.archived),
        )
        return { MessageStreams: streams.map(show), TotalCount: streams.length }
      },
    },
    {
      method: 'POST',
      path: '/message-streams',
      async handle(request) {
        const body = await request.body()
        const stream = readNewStream(body, server.streams)
        const description = readDescription(body.Description)
        const handling = readHandling(body.SubscriptionManagementConfiguration, stream.type)
        const times = { createdAt: server.now(), updatedAt: undefined, archivedAt: undefined }
        return save(stream, { description, handling, ...times })
      },
    },
    { method: 'GET', path: '/message-streams/:stream', handle: (request) => show(find(request)) },
    {
      method: 'PATCH',
      path: '/message-streams/:stream',
      async handle(request) {
        const stream = find(request)
        const before = recordOf(stream)
        const { Name, Description, SubscriptionManagementConfiguration: settings } = await request.body()
        const name = Name === undefined ? stream.name : readName(Name)
        const description = Description === undefined ? before.description : readDescription(Description)
        const handling = settings === undefined ? before.handling : readHandling(settings, stream.type)
        return save({ ...stream, name }, { ...before, description, handling, updatedAt: server.now() })
      },
    },
    {
      method: 'POST',
      path: '/message-streams/:stream/archive',
      handle(request) {
        const stream = find(request)
        if (stream.id === DEFAULT_STREAM || stream.type === 'inbound') {
          const message = 'You cannot archive the default transactional and inbound streams.'
          throw apiError(API_CODES.archiveDefault, message)
        }
        const before = recordOf(stream)
        const record = { ...before, archivedAt: before.archivedAt ?? server.now() }
        const { ID, ServerID, ExpectedPurgeDate } = save({ ...stream, archived: true }, record)
        return { ID, ServerID, ExpectedPurgeDate }
      },
    },
    {
      method: 'POST',
      path: '/message-streams/:stream/unarchive',
      handle(request) {
        const stream = find(request)
        return save({ ...stream, archived: false }, { ...recordOf(stream), archivedAt: undefined })
      },
    },
  ]
}

/** The stream that a path names. */
export function findStream(server: PostmarkServer, id: string): SandboxStream {
  const stream = server.streams.find((candidate) => candidate.id === id)
  if (stream) return stream
  throw apiError(API_CODES.noStream, "The message stream for the provided 'ID' was not found.")
}

function toJson({ id, type, name }: SandboxStream, record: StreamRecord) {
  const { description, handling, createdAt, updatedAt, archivedAt } = record
  return {
    ID: id,
    ServerID: SERVER_ID,
    Name: name,
    Description: description,
    MessageStreamType: typeName(type),
    CreatedAt: toEastern(createdAt),
    UpdatedAt: updatedAt ? toEastern(updatedAt) : null,
    ArchivedAt: archivedAt ? toEastern(archivedAt) : null,
    ExpectedPurgeDate: archivedAt ? toEastern(new Date(archivedAt.getTime() + PURGE_MS)) : null,
    SubscriptionManagementConfiguration: { UnsubscribeHandlingType: handling },
  }
}

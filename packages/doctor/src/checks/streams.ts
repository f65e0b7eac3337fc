import { readAccessKey } from '@postmark-smtp/core/internal'
import { listOf } from '../api-client.js'
import { type Check, defineCheck } from '../check.js'
import { LINKS } from './links.js'
import { missingServer, SERVER_TOKEN } from './needs-api.js'

/** The stream that the emails go to. */
export const streams: Check = defineCheck({
  id: 'streams',
  title: 'Message stream',
  after: [],
  needs: SERVER_TOKEN,
  missing: missingServer,
  kinds: {
    'stream-missing': {
      level: 'fault',
      what: 'The server has no message stream with this ID, so emails bounce with error 1235.',
      cause: 'The name of the stream was used instead of its ID, or the token belongs to another server.',
      cure: 'Use the ID of a stream of this server. `broadcast` has no final s.',
      link: LINKS.streams,
    },
    'stream-archived': {
      level: 'fault',
      what: 'The message stream is archived.',
      cause: 'Somebody archived it. Postmark deletes it 45 days later.',
      cure: 'Unarchive it, or send to another stream.',
      link: LINKS.streams,
    },
    'stream-inbound': {
      level: 'fault',
      what: 'The message stream is an inbound stream, which cannot send. Emails bounce with error 1236.',
      cause: 'The ID is that of the stream that receives emails.',
      cure: 'Use a transactional or broadcasts stream.',
      link: LINKS.streams,
    },
    'token-of-other-stream': {
      level: 'warning',
      what: 'The SMTP token belongs to a different stream than the one named.',
      cause: 'An SMTP token belongs to one stream and is said to override the header.',
      cure: 'Use the token of the named stream, or do not name a stream.',
      link: LINKS.streams,
    },
  },
  async run({ api, caller, facts, stream }, report) {
    const { MessageStreams } = await api!.ask(
      caller!,
      '/message-streams?MessageStreamType=All&IncludeArchivedStreams=true',
    )
    facts.streams = listOf(MessageStreams)
    const ids = facts.streams.map(({ ID }) => String(ID))
    const found = facts.streams.find(({ ID }) => ID === stream)
    const key = facts.login ? readAccessKey(facts.login.user) : {}
    if (key.stream !== undefined && key.stream !== stream && !stream.startsWith(key.stream))
      report.found('token-of-other-stream', `the token is for ${key.stream}, but the stream is ${stream}`)
    if (!found)
      report.found(
        'stream-missing',
        `the server has no stream ${JSON.stringify(stream)}, only ${ids.join(', ')}`,
      )
    else if (found.ArchivedAt)
      report.found('stream-archived', `${stream} was archived at ${found.ArchivedAt}`)
    else if (found.MessageStreamType === 'Inbound')
      report.found('stream-inbound', `${stream} is an Inbound stream, which cannot send`)
    else report.fine(`${stream} is ${found.MessageStreamType}; the server has ${ids.join(', ')}`)
  },
})

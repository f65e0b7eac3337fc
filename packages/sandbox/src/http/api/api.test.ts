import { createTransport } from 'nodemailer'
import { AccountClient, Errors, Models, ServerClient } from 'postmark'
import { describe, expect, it } from 'vitest'
import { type Sandbox, startSandbox } from '../../sandbox.js'

function clientOf(sandbox: Sandbox, token = sandbox.token): ServerClient {
  return new ServerClient(token, { requestHost: sandbox.apiHost, useHttps: false })
}

async function start() {
  const sandbox = await startSandbox()
  return { sandbox, client: clientOf(sandbox), [Symbol.asyncDispose]: sandbox.close }
}

describe('authentication', () => {
  it('refuses a wrong token as the client knows it', async () => {
    await using sandbox = await startSandbox({ serverToken: ['first', 'second'] })
    await expect(clientOf(sandbox, 'wrong').getServer()).rejects.toMatchObject({
      name: 'InvalidAPIKeyError',
      code: 10,
      statusCode: 401,
    })
    expect(await clientOf(sandbox, 'second').getServer()).toMatchObject({ ID: 1, ApiTokens: ['first'] })
  })

  it('refuses a request without a token, in JSON', async () => {
    await using sandbox = await startSandbox()
    const response = await fetch(`${sandbox.apiUrl}/server`)
    expect(response.status).toBe(401)
    expect(await response.json()).toEqual({ ErrorCode: 10, Message: expect.stringContaining('server token') })
  })

  it('takes any server token by default, but no access key of an SMTP token', async () => {
    await using sandbox = await startSandbox()
    expect(await clientOf(sandbox, 'any').getServer()).toMatchObject({ Name: 'Sandbox' })
    await expect(clientOf(sandbox, 'PM-T-outbound-x').getServer()).rejects.toBeInstanceOf(
      Errors.InvalidAPIKeyError,
    )
  })

  it('takes the password as token where no server token is named', async () => {
    await using sandbox = await startSandbox({ password: 'open sesame' })
    expect(await clientOf(sandbox, 'open sesame').getServer()).toMatchObject({ ID: 1 })
    await expect(clientOf(sandbox).getServer()).rejects.toBeInstanceOf(Errors.InvalidAPIKeyError)
  })
})

describe('what is not there', () => {
  it.each([
    ['GET', '/templates', 404, 'It has: GET /server, '],
    ['POST', '/email', 404, 'only by SMTP'],
    ['POST', '/email/batch', 404, 'only by SMTP'],
    ['DELETE', '/bounces', 405, '/bounces accepts GET, not DELETE.'],
    ['GET', '/servers', 404, 'has no account'],
    ['PUT', '/Servers/1', 404, 'has no account'],
    ['POST', '/data-removals', 404, 'has no account'],
    ['PUT', '/templates/push', 404, 'has no account'],
    ['GET', '/webhooks/1/nothing', 404, 'It has: GET /server, '],
    ['GET', '/bounces/1/activate', 405, 'accepts PUT'],
    ['PUT', '/server', 422, 'Received invalid JSON input.', '{'],
    ['PUT', '/server', 422, 'must be a JSON object', '[]'],
    ['PUT', '/server', 413, 'longer than 1 MB', `{"Name":"${'x'.repeat(1_000_001)}"}`],
  ])('answers %s %s with %i and says why', async (method, path, status, why, body?: string) => {
    await using sandbox = await startSandbox()
    const headers = { 'X-Postmark-Server-Token': sandbox.token }
    const response = await fetch(sandbox.apiUrl + path, { method, headers, ...(body && { body }) })
    expect(response.status).toBe(status)
    expect(await response.json()).toEqual({
      ErrorCode: expect.any(Number),
      Message: expect.stringContaining(why),
    })
  })

  it('needs no server token: the paths that take the account token are among it', async () => {
    await using sandbox = await startSandbox({ serverToken: 'secret' })
    const account = new AccountClient('account', { requestHost: sandbox.apiHost, useHttps: false })
    for (const call of [account.getServers(), account.getDomains(), account.getSenderSignatures()])
      await expect(call).rejects.toMatchObject({
        statusCode: 404,
        message: expect.stringContaining('no account'),
      })
    expect((await fetch(`${sandbox.apiUrl}/email`, { method: 'POST' })).status).toBe(404)
    const headers = { 'X-Postmark-Account-Token': 'account' }
    const response = await fetch(`${sandbox.apiUrl}/server`, { headers })
    expect(response.status).toBe(401)
    expect(await response.json()).toMatchObject({
      Message: expect.stringContaining('not X-Postmark-Server-Token'),
    })
  })

  it('is an error of the client’s own kind', async () => {
    await using use = await start()
    await expect(use.client.getTemplates()).rejects.toMatchObject({ name: 'PostmarkError', statusCode: 404 })
  })

  it('takes a path in any case, and with a slash at its end', async () => {
    await using use = await start()
    const headers = { 'X-Postmark-Server-Token': use.sandbox.token }
    expect((await fetch(`${use.sandbox.apiUrl}/DeliveryStats/`, { headers })).status).toBe(200)
  })
})

it.each([
  ['/webhooks', 'Url', { Url: {} }],
  ['/webhooks', 'MessageStream', { Url: 'https://example.com', MessageStream: ['outbound'] }],
  ['/webhooks', 'Username', { Url: 'https://example.com', HttpAuth: { Username: {} } }],
  ['/webhooks', 'Password', { Url: 'https://example.com', HttpAuth: { Username: 'a', Password: {} } }],
  ['/webhooks', 'Name', { Url: 'https://example.com', HttpHeaders: [{ Name: {} }] }],
  ['/webhooks', 'Value', { Url: 'https://example.com', HttpHeaders: [{ Name: 'a', Value: {} }] }],
  ['/message-streams/outbound/suppressions', 'EmailAddress', { Suppressions: [{ EmailAddress: {} }] }],
])('%s requires a string as %s', async (path, name, body) => {
  await using sandbox = await startSandbox()
  const headers = { 'X-Postmark-Server-Token': sandbox.token }
  const response = await fetch(sandbox.apiUrl + path, { method: 'POST', headers, body: JSON.stringify(body) })
  expect(response.status).toBe(422)
  expect(await response.json()).toEqual({ ErrorCode: 403, Message: `'${name}' must be a string.` })
})

describe('server', () => {
  it('shows and changes the settings, which emails then meet', async () => {
    await using use = await start()
    expect(await use.client.getServer()).toMatchObject({
      SmtpApiActivated: true,
      EnableSmtpApiErrorHooks: false,
      TrackOpens: false,
      TrackLinks: 'None',
      DeliveryType: 'Live',
    })
    const changed = await use.client.editServer({
      Name: 'Shop',
      SmtpApiActivated: false,
      TrackOpens: true,
      TrackLinks: Models.LinkTrackingOptions.HtmlOnly,
      EnableSmtpApiErrorHooks: true,
    })
    expect(changed).toEqual(await use.client.getServer())
    expect(changed).toMatchObject({ Name: 'Shop', TrackLinks: 'HtmlOnly', EnableSmtpApiErrorHooks: true })
    const { host, port, token } = use.sandbox
    const transport = createTransport({ host, port, ignoreTLS: true, auth: { user: token, pass: token } })
    await expect(transport.verify()).rejects.toMatchObject({ responseCode: 535 })
  })

  it('reads keys in any case, at any depth, as other clients spell them', async () => {
    await using use = await start()
    const call = async (method: string, path: string, body: object) => {
      const headers = { 'X-Postmark-Server-Token': use.sandbox.token }
      const response = await fetch(use.sandbox.apiUrl + path, { method, headers, body: JSON.stringify(body) })
      return { status: response.status, body: await response.json() }
    }
    expect(await call('PUT', '/server', { name: 'Shop', TRACKOPENS: true, trackLinks: null })).toMatchObject({
      status: 200,
      body: { Name: 'Shop', TrackOpens: true, TrackLinks: 'None' },
    })
    const settings = { unsubscribeHandlingType: 'Custom' }
    const stream = {
      Id: 'news',
      name: 'News',
      MessageStreamType: 'Broadcasts',
      subscriptionManagementConfiguration: settings,
    }
    expect(await call('POST', '/message-streams', stream)).toMatchObject({
      body: {
        ID: 'news',
        Name: 'News',
        SubscriptionManagementConfiguration: { UnsubscribeHandlingType: 'Custom' },
      },
    })
    const suppressions = { suppressions: [{ emailAddress: 'ann@example.com' }] }
    expect(await call('POST', '/message-streams/news/suppressions', suppressions)).toMatchObject({
      body: { Suppressions: [{ EmailAddress: 'ann@example.com', Status: 'Suppressed' }] },
    })
    const webhook = {
      url: 'http://127.0.0.1:9/',
      messageStream: 'news',
      verify: false,
      httpAuth: { username: 'a', password: 'b' },
      httpHeaders: [{ name: 'X-A', value: 'b' }],
      triggers: { bounce: { enabled: true, includeContent: true } },
    }
    expect(await call('POST', '/webhooks', webhook)).toMatchObject({
      body: {
        Url: 'http://127.0.0.1:9/',
        MessageStream: 'news',
        HttpAuth: { Username: 'a', Password: 'b' },
        HttpHeaders: [{ Name: 'X-A', Value: 'b' }],
        Triggers: { Bounce: { Enabled: true, IncludeContent: true }, Open: { Enabled: false } },
        Status: 'unverified',
      },
    })
    expect(await call('POST', '/webhooks', { ...webhook, Id: 1 })).toMatchObject({
      body: { ErrorCode: 1356 },
    })
  })

  it('shows back what it takes, also where the sandbox goes by none of it', async () => {
    await using use = await start()
    const changes = { Color: 'red', InboundSpamThreshold: 5, IncludeBounceContentInHook: true }
    expect(await use.client.editServer(changes)).toMatchObject(changes)
    expect(await use.client.editServer({ Color: 'green' })).toMatchObject({ ...changes, Color: 'green' })
    await expect(use.client.editServer({ Color: 5 } as never)).rejects.toMatchObject({ code: 403 })
  })

  it.each([
    [{ Name: '' }, 608],
    [{ TrackOpens: 'yes' }, 403],
    [{ TrackLinks: 'Some' }, 403],
    [{ BounceHookUrl: 'https://example.com/hook' }, 606],
  ])('refuses %j', async (changes, code) => {
    await using use = await start()
    await expect(use.client.editServer(changes as never)).rejects.toMatchObject({ code, statusCode: 422 })
  })
})

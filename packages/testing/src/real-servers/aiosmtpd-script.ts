/**
 * A Python script that runs aiosmtpd. It reads its settings as JSON from the first argument, and writes one line of JSON
 * for each connection and for each email that it accepted.
 */
export const AIOSMTPD_SCRIPT: string = `
import asyncio, email, json, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult

plan = json.loads(sys.argv[1])
users = {account['user']: account['pass'] for account in plan['users']}

def tell(**what):
    print(json.dumps(what), flush=True)

def local(address, word):
    return (address or '').startswith(plan['refusals'][word])

class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if local(address, 'recipient'):
            return '550 5.1.1 no such user'
        if local(address, 'recipientForNow'):
            return '450 4.2.0 try again later'
        envelope.rcpt_tos.append(address)
        return '250 OK'

    async def handle_DATA(self, server, session, envelope):
        if local(envelope.mail_from, 'body'):
            return '554 5.7.1 the body is refused'
        if local(envelope.mail_from, 'bodyForNow'):
            return '451 4.7.1 the body is refused for now'
        subject = email.message_from_bytes(envelope.content)['Subject']
        tell(taken=subject, sender=envelope.mail_from, recipients=len(envelope.rcpt_tos))
        return '250 OK'

def authenticate(server, session, envelope, mechanism, data):
    known = users.get(data.login.decode()) == data.password.decode()
    return AuthResult(success=known, handled=False)

class Server(SMTP):
    def connection_made(self, transport):
        if not isinstance(self.transport, asyncio.Transport):
            tell(connection=True)
        super().connection_made(transport)

context = None
if plan['tls']:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(plan['chain'])

async def main():
    make = lambda: Server(
        Handler(), data_size_limit=plan['size'], tls_context=context, hostname='aiosmtpd.test',
        authenticator=authenticate, auth_required=True, auth_require_tls=plan['tls'], loop=loop,
    )
    loop = asyncio.get_running_loop()
    server = await loop.create_server(make, '127.0.0.1', 0)
    tell(port=server.sockets[0].getsockname()[1])
    await server.serve_forever()

asyncio.run(main())
`

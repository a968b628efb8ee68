/** `npm run idp`: a local OpenID provider for trying Daypass. It lets everybody in and listens on loopback only. */
import { startLocalIdp } from '../test/fakes/local-idp.ts'
import { accounts } from './accounts.ts'

const port = Number(process.argv[2] ?? 5556)
const idp = await startLocalIdp({ port, accounts })
process.stdout.write(`A local OpenID provider is running, until you press Ctrl-C.

  discovery   ${idp.configUrl}
  client id   daypass
  accounts    alice (policy readwrite), bob (policy readonly)

In a second terminal, Daypass with this provider:

  MINIO_IDENTITY_OPENID_CONFIG_URL=${idp.configUrl} MINIO_IDENTITY_OPENID_CLIENT_ID=daypass npm start

In a third one, an id token for alice:

  npm run --silent id-token alice > id-token.jwt
`)

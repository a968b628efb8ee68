/** The floor of a start: a bare server in the same runtime that answers anything. */
import { serve } from './serve.ts'

serve((_request, response) => {
  response.writeHead(200, { 'content-length': 2 }).end('ok')
})

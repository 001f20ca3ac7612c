// An SMSC on the npm package `smpp` that takes everything and answers at once: for measuring clients against a codec
// that is not ours. It prints its port, and ends with its standard input.

'use strict';

const smpp = require('smpp');

let messages = 0;

const server = smpp.createServer({}, (session) => {
  session.on('error', () => {});
  session.on('pdu', (pdu) => {
    if (pdu.command === 'submit_sm') {
      messages += 1;
      session.send(pdu.response({ message_id: String(messages).padStart(8, '0') }));
    } else if (!pdu.isResponse()) {
      session.send(pdu.response());
    }
  });
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
process.stdin.on('end', () => process.exit(0)).resume();

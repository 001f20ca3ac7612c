// An SMSC on the npm package `smpp`, told what to do by JSON lines on its standard input; it tells what happens the
// same way. One argument: a PEM file with certificate and key, to speak TLS.

'use strict';

const fs = require('fs');
const readline = require('readline');
const smpp = require('smpp');

const tell = (event, facts) => process.stdout.write(JSON.stringify({ event, ...facts }) + '\n');

let session = null; // the newest one
let messages = 0;
let throttled = 0; // so many submits are answered with 0x58
let held = 0; // so many submits get no answer
const receipts = { on: true, state: 'DELIVRD', number: 2 };

function date() {
  return new Date().toISOString().replace(/\D/g, '').slice(2, 12);
}

function receipt(pdu, id) {
  const text = `id:${id} sub:001 dlvrd:001 submit date:${date()} done date:${date()} stat:${receipts.state} err:000 text:`;
  session.deliver_sm({
    source_addr_ton: pdu.dest_addr_ton,
    source_addr_npi: pdu.dest_addr_npi,
    source_addr: pdu.destination_addr,
    destination_addr: pdu.source_addr,
    esm_class: 4,
    short_message: text,
    receipted_message_id: id,
    message_state: receipts.number,
  }, (answer) => tell('receipt answered', { id, status: answer.command_status }));
}

function submit(own, pdu) {
  const { message, udh } = pdu.message_payload || pdu.short_message;
  const text = message === undefined ? null : message.toString();
  tell('submit', {
    source: pdu.source_addr,
    source_ton: pdu.source_addr_ton,
    destination: pdu.destination_addr,
    destination_ton: pdu.dest_addr_ton,
    data_coding: pdu.data_coding,
    sar: [pdu.sar_msg_ref_num, pdu.sar_total_segments, pdu.sar_segment_seqnum],
    reference: pdu.user_message_reference,
    validity: pdu.validity_period,
    udh: udh ? udh.map((element) => element.toString('hex')) : [],
    text,
  });
  if (held > 0) {
    held -= 1;
    return;
  }
  if (throttled > 0) {
    throttled -= 1;
    own.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
    return;
  }
  messages += 1;
  const id = messages.toString(16).padStart(8, '0');
  own.send(pdu.response({ message_id: id }));
  if (receipts.on && pdu.registered_delivery) {
    receipt(pdu, id);
  }
}

function serve(own) {
  session = own;
  own.on('error', (error) => tell('error', { message: error.message }));
  own.on('close', () => tell('closed', {}));
  for (const command of ['bind_transceiver', 'bind_transmitter', 'bind_receiver']) {
    own.on(command, (pdu) => {
      const right = pdu.system_id === 'clinic' && pdu.password === 'pw';
      own.send(pdu.response({ command_status: right ? 0 : smpp.ESME_RINVPASWD, system_id: 'node' }));
      tell('bind', { command, right });
    });
  }
  own.on('submit_sm', (pdu) => submit(own, pdu));
  own.on('query_sm', (pdu) => own.send(pdu.response({
    message_id: pdu.message_id, final_date: '261122190000000+', message_state: 2, error_code: 0,
  })));
  own.on('cancel_sm', (pdu) => {
    tell('cancel', { id: pdu.message_id, destination: pdu.destination_addr, service: pdu.service_type });
    own.send(pdu.response());
  });
  own.on('enquire_link', (pdu) => own.send(pdu.response()));
  own.on('unbind', (pdu) => {
    own.send(pdu.response());
    tell('unbind', {});
    own.close();
  });
  for (const command of ['unbind_resp', 'generic_nack', 'enquire_link_resp']) {
    own.on(command, (pdu) => tell(command, { status: pdu.command_status }));
  }
}

const orders = {
  throttle: ({ count }) => { throttled = count; },
  hold: ({ count }) => { held = count; },
  receipts: (wanted) => Object.assign(receipts, wanted),
  drop: () => session.destroy(),
  unbind: () => session.unbind(),
  enquire: () => session.enquire_link(),
  // data_sm is a command that the other side need not know.
  data: () => session.data_sm({ source_addr: '1', destination_addr: '2' }),
  deliver: ({ source, destination, text, udh, data_coding: coding, sar }) => {
    const message = udh ? { udh: Buffer.from(udh, 'hex'), message: text } : text;
    const pdu = {
      source_addr_ton: 1,
      source_addr_npi: 1,
      source_addr: source,
      destination_addr: destination,
      short_message: message,
    };
    if (udh) pdu.esm_class = 0x40;
    if (coding !== undefined) pdu.data_coding = coding;
    if (sar) [pdu.sar_msg_ref_num, pdu.sar_total_segments, pdu.sar_segment_seqnum] = sar;
    session.deliver_sm(pdu, (answer) => tell('delivered', { status: answer.command_status }));
  },
};

const options = {};
if (process.argv[2]) {
  const pem = fs.readFileSync(process.argv[2]);
  Object.assign(options, { key: pem, cert: pem });
}
const server = smpp.createServer(options, serve);
server.listen(0, '127.0.0.1', () => tell('listening', { port: server.address().port }));

readline.createInterface({ input: process.stdin })
  .on('line', (line) => {
    const order = JSON.parse(line);
    orders[order.do](order);
  })
  .on('close', () => process.exit(0));

// Two Modbus clients that share no code with the server. `node client.js LIBRARY PORT TOKEN` does a
// round of reads and writes and prints what each answered as one JSON object.
"use strict";

const net = require("net");

const [library, port, token] = process.argv.slice(2);
const words = Buffer.from(token, "hex");
const registers = Array.from({ length: 8 }, (_, n) => words.readUInt16BE(2 * n));
const TOGETHER = 8;

async function failure(promise) {
  try {
    return { answered: await promise };
  } catch (error) {
    return error.modbusCode ?? error.response?.body?.code ?? String(error.message ?? error);
  }
}

async function serial() {
  const ModbusRTU = require("modbus-serial");
  const client = new ModbusRTU();
  await client.connectTCP("127.0.0.1", { port: Number(port) });
  client.setTimeout(5000);
  client.setID(1);
  const found = {};
  const reads = Array.from({ length: TOGETHER }, () => client.readHoldingRegisters(100, 2));
  found.together = (await Promise.all(reads)).map((read) => read.buffer.readFloatBE(0));
  found.scaled = (await client.readHoldingRegisters(160, 1)).data[0];
  found.input = (await client.readInputRegisters(100, 100)).data.length;
  found.discrete = (await client.readDiscreteInputs(100, 1)).data[0];
  found.locked = await failure(client.writeCoil(100, true));
  client.setID(255);
  await client.writeRegisters(90, registers);
  client.setID(1);
  await client.writeCoil(100, true);
  found.stopped = (await client.readCoils(100, 1)).data[0];
  await client.writeRegister(161, 1);
  const value = Buffer.alloc(4);
  value.writeFloatBE(41.5);
  await client.writeRegisters(104, value);
  found.manual = (await client.readHoldingRegisters(104, 2)).buffer.readFloatBE(0);
  found.missing = await failure(client.readHoldingRegisters(300, 1));
  found.vendor = (await client.readDeviceIdentification(1, 0)).data[0];
  client.setID(9);
  found.unit = await failure(client.readHoldingRegisters(0, 1));
  client.close(() => {});
  return found;
}

function connected(unit) {
  const modbus = require("jsmodbus");
  const socket = new net.Socket();
  const client = new modbus.client.TCP(socket, unit, 5000);
  return new Promise((resolve, reject) => {
    socket.once("connect", () => resolve([client, socket])).once("error", reject);
    socket.connect({ host: "127.0.0.1", port: Number(port) });
  });
}

// In a connection of its own, for one unit.
async function refused(unit, ask) {
  const [client, socket] = await connected(unit);
  const found = await failure(ask(client));
  socket.end();
  return found;
}

async function jsmodbus() {
  const [client, socket] = await connected(1);
  // It knows one unit of a connection; the token unlocks a connection for all of them.
  const unit = (number) => (client._unitId = client._requestHandler._unitId = number);
  const data = async (promise) => (await promise).response.body;
  const found = {};
  const reads = Array.from({ length: TOGETHER }, () => data(client.readHoldingRegisters(100, 2)));
  found.together = (await Promise.all(reads)).map((read) => read.valuesAsBuffer.readFloatBE(0));
  found.scaled = (await data(client.readHoldingRegisters(160, 1))).values[0];
  found.input = (await data(client.readInputRegisters(100, 100))).values.length;
  found.discrete = (await data(client.readDiscreteInputs(100, 1))).valuesAsArray[0] === 1;
  found.locked = await refused(1, (other) => other.writeSingleCoil(100, true));
  unit(255);
  await client.writeMultipleRegisters(90, registers);
  unit(1);
  await client.writeSingleCoil(100, true);
  found.stopped = (await data(client.readCoils(100, 1))).valuesAsArray[0] === 1;
  await client.writeSingleRegister(161, 1);
  const value = Buffer.alloc(4);
  value.writeFloatBE(41.5);
  await client.writeMultipleRegisters(104, value);
  found.manual = (await data(client.readHoldingRegisters(104, 2))).valuesAsBuffer.readFloatBE(0);
  found.missing = await refused(1, (other) => other.readHoldingRegisters(300, 1));
  found.unit = await refused(9, (other) => other.readHoldingRegisters(0, 1));
  socket.end();
  return found;
}

(library === "modbus-serial" ? serial() : jsmodbus()).then(
  (found) => console.log(JSON.stringify(found)),
  (error) => {
    console.error(error.stack ?? error);
    process.exit(1);
  },
);

// An OPC UA client that does what JSON lines on its standard input say, and answers with one line
// each: {"answer": ...} or {"error": "..."}. What it is told unasked is {"told": {...}}.

import { createInterface } from "node:readline";
import {
  AttributeIds,
  DataChangeFilter,
  DataChangeTrigger,
  DataType,
  DeadbandType,
  MessageSecurityMode,
  OPCUAClient,
  SecurityPolicy,
  TimestampsToReturn,
  UserTokenType,
} from "node-opcua-client";
import { OPCUACertificateManager } from "node-opcua-certificate-manager";

import { actions as aboutAlarms } from "./alarms.js";

let client;
let session;
let subscription;

const say = (line) => console.log(JSON.stringify(line, plain));
// 64-bit integers are pairs of halves there, and JSON knows neither infinity nor times.
const plain = (_, value) => (typeof value === "bigint" ? value.toString() : value);
const nodeId = (path) => (typeof path === "number" ? `i=${path}` : `ns=2;s=${path}`);
const whole = (pair) => ((BigInt(pair[0]) << 32n) | BigInt(pair[1])).toString();

function told(value) {
  const wide = value.value.dataType === DataType.UInt64;
  return {
    status: value.statusCode.name,
    code: value.statusCode.value,
    type: DataType[value.value.dataType],
    value: wide ? whole(value.value.value) : value.value.value,
    source: value.sourceTimestamp?.toISOString() ?? null,
    server: value.serverTimestamp?.toISOString() ?? null,
  };
}

// Whether a client should trust a server is not what is tested.
const unquestioning = (folder) =>
  new OPCUACertificateManager({
    rootFolder: `${folder}/pki`,
    automaticallyAcceptUnknownCertificate: true,
    disableFileWatchers: true,
  });

const actions = {
  ...aboutAlarms(() => session, say),
  async connect({ url, user, password, policy, application }) {
    client = OPCUAClient.create({
      endpointMustExist: false,
      securityMode: MessageSecurityMode.SignAndEncrypt,
      securityPolicy: SecurityPolicy[policy],
      applicationUri: application.uri,
      certificateFile: application.certificate,
      privateKeyFile: application.key,
      clientCertificateManager: unquestioning(application.folder),
      connectionStrategy: { initialDelay: 50, maxDelay: 200, maxRetry: 3 },
      keepSessionAlive: true,
    });
    client.on("connection_reestablished", () => say({ told: { connection: "reestablished" } }));
    await client.connect(url);
    const identity = user
      ? { type: UserTokenType.UserName, userName: user, password }
      : { type: UserTokenType.Anonymous };
    session = await client.createSession(identity);
    return "connected";
  },
  async read({ path }) {
    return told(await session.read({ nodeId: nodeId(path), attributeId: AttributeIds.Value }));
  },
  async find({ path }) {
    const result = await session.translateBrowsePath({
      startingNode: "i=85",
      relativePath: {
        elements: path.split("/").map((name) => ({
          referenceTypeId: "i=33",
          includeSubtypes: true,
          targetName: { namespaceIndex: 2, name },
        })),
      },
    });
    return result.targets?.map((target) => target.targetId.value) ?? [];
  },
  async browse({ path }) {
    const result = await session.browse(nodeId(path));
    return result.references.map((reference) => reference.browseName.name);
  },
  // All references, so many at a time: how many each answer had, and the names of all.
  async page({ path, most }) {
    session.requestedMaxReferencesPerNode = most;
    let result = await session.browse(nodeId(path));
    const sizes = [result.references.length];
    const names = result.references.map((reference) => reference.browseName.name);
    while (result.continuationPoint?.length) {
      result = await session.browseNext(result.continuationPoint, false);
      sizes.push(result.references.length);
      names.push(...result.references.map((reference) => reference.browseName.name));
    }
    session.requestedMaxReferencesPerNode = 0;
    return { sizes, names };
  },
  async write({ path, value }) {
    const status = await session.write({
      nodeId: nodeId(path),
      attributeId: AttributeIds.Value,
      value: { value: { dataType: DataType.Double, value } },
    });
    return status.name;
  },
  async call({ object, method, reason }) {
    const result = await session.call({
      objectId: nodeId(object),
      methodId: nodeId(`${object}/${method}`),
      inputArguments: [{ dataType: DataType.String, value: reason }],
    });
    const outputs = result.outputArguments ?? [];
    return {
      status: result.statusCode.name,
      outputs: outputs.map(({ dataType, value }) =>
        dataType === DataType.UInt64 ? whole(value) : value,
      ),
    };
  },
  // A call with arguments of any type: [["Byte", 1], ["String", "why"]].
  async invoke({ object, method, inputs }) {
    const result = await session.call({
      objectId: nodeId(object),
      methodId: nodeId(method),
      inputArguments: inputs.map(([type, value]) => ({ dataType: DataType[type], value })),
    });
    return {
      status: result.statusCode.name,
      inputs: (result.inputArgumentResults ?? []).map((status) => status.name),
    };
  },
  async monitor({ paths, interval }) {
    subscription ??= await session.createSubscription2({
      requestedPublishingInterval: interval,
      requestedLifetimeCount: 100,
      requestedMaxKeepAliveCount: 10,
      publishingEnabled: true,
    });
    const group = await subscription.monitorItems(
      paths.map((path) => ({ nodeId: nodeId(path), attributeId: AttributeIds.Value })),
      { samplingInterval: interval, queueSize: 10, discardOldest: true },
      TimestampsToReturn.Both,
    );
    group.on("changed", (item, value) =>
      say({ told: { path: item.itemToMonitor.nodeId.value, ...told(value) } }),
    );
    return group.monitoredItems.map((item) => item.statusCode.name);
  },
  // One value, with all that a client may wish for: what the server made of that.
  async watch({ path, interval, sampling = interval, queue = 1, deadband }) {
    subscription ??= await session.createSubscription2({
      requestedPublishingInterval: interval,
      requestedLifetimeCount: 100,
      requestedMaxKeepAliveCount: 10,
      publishingEnabled: true,
    });
    const filter =
      deadband &&
      new DataChangeFilter({
        trigger: DataChangeTrigger.StatusValue,
        deadbandType: DeadbandType[deadband[0]],
        deadbandValue: deadband[1],
      });
    const item = await subscription.monitor(
      { nodeId: nodeId(path), attributeId: AttributeIds.Value },
      { samplingInterval: sampling, queueSize: queue, discardOldest: true, filter },
      TimestampsToReturn.Both,
    );
    item.on("changed", (value) => say({ told: { path, ...told(value) } }));
    return {
      status: item.statusCode.name,
      sampling: item.monitoringParameters.samplingInterval,
      queue: item.monitoringParameters.queueSize,
    };
  },
  async modify({ interval }) {
    const result = await subscription.modify({ requestedPublishingInterval: interval });
    return { interval: result.revisedPublishingInterval };
  },
  async publishing({ enabled }) {
    return (await subscription.setPublishingMode(enabled)).name;
  },
  // A message again that nobody has sent.
  async republish() {
    const request = { subscriptionId: subscription.subscriptionId, retransmitSequenceNumber: 4e9 };
    try {
      return (await session.republish(request)).responseHeader.serviceResult.name;
    } catch (error) {
      return error.response?.responseHeader.serviceResult.name ?? error.message;
    }
  },
  async disconnect() {
    await subscription?.terminate();
    await session?.close();
    await client?.disconnect();
    client = session = subscription = undefined;
    return "disconnected";
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { action, ...wishes } = JSON.parse(line);
  try {
    say({ answer: await actions[action](wishes) });
  } catch (error) {
    say({ error: error.message });
  }
}

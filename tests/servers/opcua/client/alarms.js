// What the client does about alarms and history.

import {
  AggregateFunction,
  AttributeIds,
  DataType,
  HistoryReadRequest,
  ReadEventDetails,
  ReadRawModifiedDetails,
  TimestampsToReturn,
  constructEventFilter,
  ofType,
} from "node-opcua-client";

const FIELDS = [
  "EventId",
  "SourceNode",
  "ConditionName",
  "Retain",
  "ActiveState.Id",
  "AckedState.Id",
  "ConfirmedState.Id",
  "EnabledState.Id",
  "Comment",
  "ClientUserId",
  "ShelvingState.CurrentState",
  "EventType",
];

const shown = ({ dataType, value }) => {
  if (value === null || value === undefined) return null;
  if (dataType === DataType.ByteString) return value.toString("hex");
  if (dataType === DataType.NodeId) return value.value;
  return dataType === DataType.LocalizedText ? value.text : value;
};
const event = (fields) => Object.fromEntries(FIELDS.map((name, i) => [name, shown(fields[i])]));
const moment = (seconds) => new Date(seconds * 1000);
const condition = (path) => `ns=2;s=${path}`;
const filter = () => constructEventFilter(FIELDS, ofType("AlarmConditionType"));

// All answers about one node, each continued from the one before.
async function readAll(session, nodeId, historyReadDetails) {
  const parts = [];
  let continuationPoint;
  do {
    const response = await session.historyRead(
      new HistoryReadRequest({
        historyReadDetails,
        nodesToRead: [{ nodeId, continuationPoint }],
        releaseContinuationPoints: false,
        timestampsToReturn: TimestampsToReturn.Source,
      }),
    );
    const [result] = response.results;
    parts.push(result);
    continuationPoint = result.continuationPoint;
  } while (continuationPoint?.length);
  return parts;
}

export const actions = (session, say) => ({
  async listen() {
    const subscription = await session().createSubscription2({
      requestedPublishingInterval: 100,
      requestedLifetimeCount: 100,
      requestedMaxKeepAliveCount: 10,
      publishingEnabled: true,
    });
    const item = await subscription.monitor(
      { nodeId: "i=2253", attributeId: AttributeIds.EventNotifier },
      { samplingInterval: 0, queueSize: 100, discardOldest: true, filter: filter() },
      TimestampsToReturn.Both,
    );
    item.on("changed", (fields) => say({ told: event(fields) }));
    return subscription.subscriptionId;
  },
  async answer({ path, how, eventId, comment }) {
    const status = await session()[`${how}Condition`](
      condition(path),
      Buffer.from(eventId, "hex"),
      comment,
    );
    return status.name;
  },
  async raw({ path, start, end }) {
    const details = new ReadRawModifiedDetails({
      isReadModified: false,
      startTime: moment(start),
      endTime: moment(end),
      numValuesPerNode: 0,
      returnBounds: false,
    });
    const parts = await readAll(session(), `ns=2;s=${path}`, details);
    return parts.map((part) => part.historyData.dataValues.map(({ value }) => value.value));
  },
  async aggregate({ path, name, start, end, step }) {
    const result = await session().readAggregateValue(
      { nodeId: `ns=2;s=${path}` },
      moment(start),
      moment(end),
      AggregateFunction[name],
      step * 1000,
    );
    return result.historyData.dataValues.map(({ value }) => value.value);
  },
  async events({ path, start, end }) {
    const details = new ReadEventDetails({
      numValuesPerNode: 0,
      startTime: moment(start),
      endTime: moment(end),
      filter: filter(),
    });
    const nodeId = path ? `ns=2;s=${path}` : "i=2253";
    const parts = await readAll(session(), nodeId, details);
    return parts.map((part) => part.historyData.events.map((one) => event(one.eventFields)));
  },
});

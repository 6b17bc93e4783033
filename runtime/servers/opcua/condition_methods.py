"""The methods of conditions (Part 9, 5.5 to 5.8), and reading the arguments that are given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from asyncua import ua
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.status_codes import StatusCodes

from runtime.servers.opcua.methods import Refusal, is_text

LONGEST_COMMENT = 1000  # characters
# The last part of the path of what the methods of shelving are called on.
SHELVING = "ShelvingState"
_KINDS = {
    "EventId": ua.VariantType.ByteString,
    "Comment": ua.VariantType.LocalizedText,
    "ShelvingTime": ua.VariantType.Double,
    "SubscriptionId": ua.VariantType.UInt32,
    "MonitoredItemId": ua.VariantType.UInt32,
}
_TYPES: dict[str, dict[str, tuple[str, ...]]] = {
    "ConditionType": {
        "Enable": (),
        "Disable": (),
        "AddComment": ("EventId", "Comment"),
        "ConditionRefresh": ("SubscriptionId",),
        "ConditionRefresh2": ("SubscriptionId", "MonitoredItemId"),
    },
    "AcknowledgeableConditionType": {
        "Acknowledge": ("EventId", "Comment"),
        "Confirm": ("EventId", "Comment"),
    },
    "AlarmConditionType": {
        "Reset": (),
        "Reset2": ("Comment",),
        "RemoveFromService": (),
        "RemoveFromService2": ("Comment",),
        "PlaceInService": (),
        "PlaceInService2": ("Comment",),
    },
    "ShelvedStateMachineType": {
        "TimedShelve": ("ShelvingTime",),
        "TimedShelve2": ("ShelvingTime", "Comment"),
        "OneShotShelve": (),
        "OneShotShelve2": ("Comment",),
        "Unshelve": (),
        "Unshelve2": ("Comment",),
    },
}
_TYPES["AlarmConditionType_ShelvingState"] = _TYPES["ShelvedStateMachineType"]


def _number(name: str) -> ua.NodeId:
    return ua.NodeId(ua.Int32(getattr(ObjectIds, name)))


CALLS: dict[ua.NodeId, tuple[str, tuple[str, ...]]] = {
    _number(f"{owner}_{name}"): (name, inputs)
    for owner, methods in _TYPES.items()
    for name, inputs in methods.items()
}
"""The methods with their inputs. Those of shelving are known by the type and by its use in it."""


def inputs_of(arguments: Sequence[ua.Variant], inputs: Sequence[str]) -> dict[str, Any]:
    """The arguments of a call by their names, checked."""
    if len(arguments) != len(inputs):
        few = len(arguments) < len(inputs)
        raise Refusal(StatusCodes.BadArgumentsMissing if few else StatusCodes.BadTooManyArguments)
    fits = [
        given.VariantType in (_KINDS[name], ua.VariantType.Null) and not given.is_array
        for given, name in zip(arguments, inputs, strict=True)
    ]
    if not all(fits):
        codes = [StatusCodes.Good if fit else StatusCodes.BadTypeMismatch for fit in fits]
        raise Refusal(StatusCodes.BadInvalidArgument, *codes)
    return {name: given.Value for given, name in zip(arguments, inputs, strict=True)}


def comment_of(given: dict[str, Any]) -> str:
    comment = given.get("Comment")
    words = (comment.Text or "").strip() if comment is not None else ""
    if len(words) > LONGEST_COMMENT or not is_text(words):
        raise Refusal(StatusCodes.BadInvalidArgument, StatusCodes.BadOutOfRange)
    return words


def done(inputs: Sequence[str]) -> ua.CallMethodResult:
    return ua.CallMethodResult(InputArgumentResults=[ua.StatusCode() for _ in inputs])

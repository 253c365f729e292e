"""The queue of messages that point to jobs."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import boto3.exceptions
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from pacifico.errors import InputError, OutsideServiceError
from pacifico.escaping import visible
from pacifico.jobs import keys
from pacifico.jobs.request import SCHEMA_VERSION, check_version, load_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_BATCH = 10  # messages that one SQS call takes
_MAX_DELAY_S = 900
_MAX_HIDDEN_S = 43_200

CONFIG = Config(
    connect_timeout=5,
    read_timeout=30,  # over the 20 s of a long poll
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=8,
)


_MISSING = {"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "NonExistentQueue"}
_DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "InvalidClientTokenId",
    "ExpiredToken",
    "SignatureDoesNotMatch",
    "403",
}


class QueueError(OutsideServiceError):
    """The queue failed or can't be reached."""


class NoQueueError(QueueError):
    """The queue that the settings name does not exist."""


class QueueDeniedError(QueueError):
    """The queue refuses access: rights are missing."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """What a message holds: owner and layout_id of its job."""

    owner: str
    layout_id: str

    def to_body(self) -> str:
        """Return the message's text."""
        return json.dumps({"schema_version": SCHEMA_VERSION, "owner": self.owner, "layout_id": self.layout_id})


@dataclass(frozen=True, slots=True)
class Message:
    """One delivery of a message.

    `sent` in seconds since 1970 by the queue's clock.
    """

    message_id: str
    receipt: str
    body: str
    receives: int
    sent: float


def parse_pointer(body: str) -> Pointer:
    """Read a message.

    Raises
    ------
    UnknownVersionError
        A newer pacifico sent it.
    InputError
        It is no message of a job.
    """
    content = load_object(body.encode("utf-8", "replace"), what="message")
    check_version(content, what="message")
    owner, layout_id = content.get("owner"), content.get("layout_id")
    if set(content) != {"schema_version", "owner", "layout_id"} or not isinstance(owner, str):
        raise InputError(
            f"message has the fields {visible(', '.join(sorted(content)))[:200]}; schema_version, owner and layout_id are needed"
        )
    keys.encode(owner)
    return Pointer(owner, keys.canonical_id(layout_id))  # type: ignore[arg-type]  # refused there unless it is text


class Queue:
    """One SQS queue. Every method raises QueueError if the queue fails."""

    def __init__(self, url: str, *, session: boto3.Session | None = None) -> None:
        self.url = url
        maker = session or boto3
        self._client = maker.client("sqs", config=CONFIG, region_name=_region(url))

    def send(self, pointer: Pointer, *, delay_s: float = 0) -> None:
        """Send one message, visible after a delay of at most 900 s."""
        with self._translated():
            self._client.send_message(
                QueueUrl=self.url, MessageBody=pointer.to_body(), DelaySeconds=_whole(delay_s, _MAX_DELAY_S)
            )

    def send_copy(self, message: Message, *, delay_s: float) -> None:
        """Send the same text as a fresh message, with no receives counted."""
        with self._translated():
            self._client.send_message(
                QueueUrl=self.url, MessageBody=message.body, DelaySeconds=_whole(delay_s, _MAX_DELAY_S)
            )

    def send_many(self, pointers: Sequence[Pointer]) -> dict[Pointer, str]:
        """Send messages in batches of ten; return the unsent ones with reasons."""
        unsent: dict[Pointer, str] = {}
        for start in range(0, len(pointers), _BATCH):
            batch = pointers[start : start + _BATCH]
            try:
                with self._translated():
                    reply = self._client.send_message_batch(
                        QueueUrl=self.url,
                        Entries=[{"Id": str(n), "MessageBody": pointer.to_body()} for n, pointer in enumerate(batch)],
                    )
            except QueueError as error:
                unsent.update(dict.fromkeys(batch, str(error)))
                continue
            for entry in reply.get("Failed", []):
                unsent[batch[int(entry["Id"])]] = f"{entry['Code']}: {entry.get('Message', '')}"
        return unsent

    def receive(self, *, wait_s: int, visibility_s: int, most: int = 1) -> list[Message]:
        """Wait for messages by long polling and hide them for a while."""
        with self._translated():
            reply = self._client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=min(most, _BATCH),
                WaitTimeSeconds=wait_s,
                VisibilityTimeout=visibility_s,
                MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
            )
        return [_message(found) for found in reply.get("Messages", [])]

    def hide(self, message: Message, seconds: float) -> None:
        """Keep a received message hidden for some seconds.

        0 shows it at once.
        """
        with self._translated():
            self._client.change_message_visibility(
                QueueUrl=self.url, ReceiptHandle=message.receipt, VisibilityTimeout=_whole(seconds, _MAX_HIDDEN_S)
            )

    def show(self, messages: Sequence[Message]) -> None:
        """Show received messages at once."""
        for start in range(0, len(messages), _BATCH):
            with self._translated():
                self._client.change_message_visibility_batch(
                    QueueUrl=self.url,
                    Entries=[
                        {"Id": str(n), "ReceiptHandle": message.receipt, "VisibilityTimeout": 0}
                        for n, message in enumerate(messages[start : start + _BATCH])
                    ],
                )

    def delete(self, message: Message) -> None:
        """Delete a received message."""
        with self._translated():
            self._client.delete_message(QueueUrl=self.url, ReceiptHandle=message.receipt)

    def depth(self) -> dict[str, int]:
        """Approximate numbers of waiting, held and delayed messages."""
        names: dict[str, Any] = {
            "waiting": "ApproximateNumberOfMessages",
            "held": "ApproximateNumberOfMessagesNotVisible",
            "delayed": "ApproximateNumberOfMessagesDelayed",
        }
        with self._translated():
            reply = self._client.get_queue_attributes(
                QueueUrl=self.url,
                AttributeNames=list(names.values()),
            )
        return {name: int(reply["Attributes"][attribute]) for name, attribute in names.items()}

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn errors of boto3 into the queue's."""
        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in _MISSING:
                raise NoQueueError(f"queue {self.url}: there is no such queue; check its address") from error
            if code in _DENIED:
                raise QueueDeniedError(f"queue {self.url}: access denied ({code}); check this role's rights") from error
            raise QueueError(f"queue {self.url}: {error}; check the address, the rights and the network") from error
        except (BotoCoreError, HTTPClientError) as error:
            raise QueueError(f"queue {self.url}: {error}; check the address, the rights and the network") from error


def _message(found: Any) -> Message:
    attributes = found.get("Attributes", {})
    return Message(
        message_id=found["MessageId"],
        receipt=found["ReceiptHandle"],
        body=found["Body"],
        receives=int(attributes.get("ApproximateReceiveCount", 1)),
        sent=int(attributes.get("SentTimestamp", 0)) / 1000,
    )


def _whole(seconds: float, most: int) -> int:
    """Whole seconds, rounded up so that no message returns early."""
    return max(0, min(most, -int(-seconds // 1)))


def _region(url: str) -> str | None:
    """Region in an AWS queue's address; None for the environment's."""
    host = url.split("/")[2] if "//" in url else ""
    parts = host.split(".")
    return parts[1] if len(parts) >= 4 and parts[0] == "sqs" and parts[2] == "amazonaws" else None

"""IAM actions that clients and workers call; infrastructure grants these alone."""

from __future__ import annotations

#: `s3` applies to the bucket's objects, `listing` to the bucket, `queue` and `dead_letters` to the two queues.
WORKER: dict[str, tuple[str, ...]] = {
    "s3": (
        "s3:GetObject",
        "s3:PutObject",
        "s3:PutObjectTagging",
        "s3:DeleteObject",  # replaced listing hints
        "s3:AbortMultipartUpload",
    ),
    "listing": ("s3:ListBucket",),
    "queue": (
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:SendMessage",
        "sqs:GetQueueAttributes",  # --burst asks whether the queue is empty
    ),
    "dead_letters": ("sqs:ReceiveMessage", "sqs:ChangeMessageVisibility"),
}

#: For whoever submits, reads and cancels. Presigned addresses carry the rights of their signer.
CLIENT: dict[str, tuple[str, ...]] = {
    "s3": (
        "s3:GetObject",
        "s3:PutObject",
        "s3:PutObjectTagging",
        "s3:DeleteObject",
        "s3:AbortMultipartUpload",
    ),
    "listing": ("s3:ListBucket",),
    "queue": ("sqs:SendMessage", "sqs:GetQueueAttributes"),
    "dead_letters": (),
}

#: With PACIFICO_SSE=aws:kms, on the key.
KMS = ("kms:GenerateDataKey", "kms:Decrypt")

#: Value of the object tag `class`, by the kind of key that carries it.
TAGS = {
    "owners/{owner}/sites/": "uploads",
    "owners/{owner}/uploads/": "uploads",
    "owners/{owner}/layouts/{layout_id}/attempts/": "reports",
    "owners/{owner}/layouts/{layout_id}/edited/": "reports",
    "owners/{owner}/exports/": "exports",
    "terrain/": "terrain",
    "owners/{owner}/layouts/{layout_id}/request.json": "jobs",
    "owners/{owner}/layouts/{layout_id}/status.json": "jobs",
    "owners/{owner}/layouts/{layout_id}/edits.json": "jobs",
    "owners/{owner}/index/": "jobs",
}

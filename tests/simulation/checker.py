"""Checks the history of a schedule: no job lost, doubled, mislabelled or stuck.

It knows what really happened (who wrote what, over which version, at which age of the lease), and judges every write of a
status by the rules that `pacifico.jobs.lifecycle` states. It shares no code with the product.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

TERMINAL = frozenset({"completed", "failed", "cancelled"})
#: Kinds of failure that only a request of fate 'bad' may end in.
REQUEST_FAULTS = frozenset({"request", "timeout", "memory"})


class Job:
    """What really happened to one job."""

    def __init__(self, request, *, good):
        self.request = request
        self.owner = request.owner
        self.layout_id = request.layout_id
        self.good = good  # whether its notebook can run to the end
        self.status = None  # last written
        self.stored = False
        self.in_doubt = False  # a submit or redrive began, and its caller heard of no success
        self.redrive_in_doubt = False  # a redrive was cut off: its write may come after another call's answer
        self.purges = 0  # times that its messages may have been purged
        self.cancels = 0  # calls that began
        self.redrives = 0
        self.forced = 0  # redrives with force
        self.completions = 0  # deliveries reported as completed
        self.nonces = {}  # nonce -> process that claimed with it
        self.leases = {}  # nonce -> when its last write was sent, by the clock of its process
        self.committer = None  # process whose write completed it

    @property
    def terminal(self):
        return self.status is not None and self.status["status"] in TERMINAL


class Checker:
    """Keeps a line for every write or ending that breaks a rule."""

    def __init__(self, *, only_outages=False):
        self.jobs = {}  # layout_id -> Job
        self.only_outages = only_outages  # nothing else goes wrong: then every good job must complete
        self.violations = []
        self.on_change = lambda job: None
        self.letters = lambda layout_id: ([], [])  # when a job's messages were sent: those in the queue, the dead ones

    def report(self, kind, text):
        """Keep a violation; an exception would end in the product's handlers."""
        self.violations.append(f"{kind}: {text}")

    def add(self, job):
        self.jobs[job.layout_id] = job

    def open_jobs(self):
        return [job for job in self.jobs.values() if job.stored and not job.terminal]

    # --- what is written

    def on_delete(self, key):
        if "/layouts/" in key:
            self.report("lost", f"{key} was deleted")

    def on_status(self, process, key, data, age_s, sent):
        """Judge one write of a status.

        Parameters
        ----------
        process : Process or None
            Who writes.
        key, data : str, bytes
            What.
        age_s : float or None
            Age of the version that it replaces, as its process had read it when it sent the request [s].
        sent : float
            When the request was sent, by the clock of its process [s].
        """
        new = json.loads(data)
        job = self.jobs.get(new["layout_id"])
        if job is None or key.split("/")[-2] != job.layout_id or new["owner"] != job.owner:
            self.report("mislabelled", f"{key} names layout {new['layout_id']} of {new['owner']}")
            return
        before = job.status  # what `old` holds: every write passes here
        fault = self._fault(job, process, before, new, age_s, sent)
        if fault:
            was = f"{before['status']} {before['attempt']}" if before else "nothing"
            who = process.name if process else "?"
            kind, text = fault
            self.report(kind, f"{job.layout_id[-4:]} {was} -> {new['status']} {new['attempt']} by {who}: {text}")
        job.status, job.stored = new, True
        self.on_change(job)

    def _fault(self, job, process, before, new, age_s, sent):
        state = new["status"]
        if before is None:
            return None if (state, new["attempt"], new["revision"]) == ("queued", 0, 1) else ("mislabelled", "first")
        was = before["status"]
        if new["revision"] != before["revision"] + 1:
            return "lost", f"revision {new['revision']} over {before['revision']}: a write was overwritten"
        for name in ("created_at", "site_id", "request_sha256"):
            if new[name] != before[name]:
                return "mislabelled", f"{name} changed"
        if new["updated_at"].rstrip("Z") < before["updated_at"].rstrip("Z"):  # with and without a fraction
            return "mislabelled", "time goes back"
        own = before["nonce"] is not None and job.nonces.get(before["nonce"]) is process
        dead = was == "processing" and age_s is not None and age_s >= before["lease_seconds"]
        if was in ("completed", "cancelled"):
            return "doubled", "it had ended"
        if state == "processing" and new["nonce"] != before["nonce"]:
            job.leases[new["nonce"]] = sent
            return self._claim_fault(job, process, before, new, dead=dead)
        if own and was == "processing" and not dead:  # a worker may sweep what it lost itself
            if sent > job.leases.get(before["nonce"], sent) + before["lease_seconds"]:
                return "doubled", "it writes after its lease, by its own clock"
            job.leases[before["nonce"]] = sent
        if state == "processing":
            return None if was == "processing" and own else ("doubled", "a lease renewed by another")
        if new["attempt"] != before["attempt"]:
            return "mislabelled", "another attempt"
        if state == "completed":
            job.committer = process
            return None if was == "processing" and own else ("doubled", "completed by who does not hold it")
        if state == "cancelled":
            return None if job.cancels and was != "failed" else ("mislabelled", "nobody cancelled it")
        if state == "failed":
            if was == "failed":
                return "doubled", "it had failed"
            if was == "processing" and not own and not dead:
                return "doubled", "failed by another, while its lease is alive"
            if was == "queued" and self._message_under_way(job, before):
                return "lost", "failed by a letter from before its redrive, while its message is under way"
            if job.good and self.only_outages:
                return "lost", f"a good job failed by outages alone: {new['error_message']}"
            if job.good and new["error_kind"] in REQUEST_FAULTS:
                return "mislabelled", f"a good request failed by its own fault: {new['error_message']}"
            return None
        if was == "failed":
            if before["error_kind"] in REQUEST_FAULTS and not job.forced:
                return "mislabelled", "redriven, but it failed by its own request"
            return None if job.redrives else ("mislabelled", "nobody redrove it")
        redriven = dead and job.redrives
        return None if was == "queued" or own or redriven else ("doubled", "queued by who does not hold it")

    def _message_under_way(self, job, before):
        """Whether only the job's new message can bring it on, and that is in the queue."""
        queued_at = datetime.fromisoformat(before["queued_at"]).timestamp() - 2.0
        live, dead = self.letters(job.layout_id)
        return bool(job.redrives and dead) and max(dead) < queued_at <= max(live, default=0.0)

    def _claim_fault(self, job, process, before, new, *, dead):
        nonce = new["nonce"]
        if nonce in job.nonces:
            return "doubled", "a nonce comes again"
        job.nonces[nonce] = process
        if before["status"] == "failed":
            return "doubled", "a failed job was claimed"
        if before["status"] == "processing" and not dead:
            return "doubled", "taken over while its lease was alive"
        if new["attempt"] != before["attempt"] + 1:
            return "mislabelled", "attempts are not counted"
        return None

    # --- what workers and clients say

    def on_end(self, process, delivery):
        """Judge how a worker says that a delivery ended."""
        status = delivery.status
        if status is None:
            return
        job = self.jobs[status.layout_id]
        if delivery.ending == "completed":
            job.completions += 1
            if job.completions > 1:
                self.report("doubled", f"{job.layout_id[-4:]} completed twice")
        if delivery.ending == "lost" and job.committer is process:
            self.report("mislabelled", f"{job.layout_id[-4:]}: {process.name} says lost, but it completed the job")
        met_a_lease = delivery.ending == "handed back" and delivery.do == "copy" and status.status == "processing"
        if met_a_lease and delivery.delay_s <= 1:  # what is left of the lease, and one second
            self.report("stuck", f"{job.layout_id[-4:]}: {process.name} left a dead lease alone")

    # --- when all is over

    def at_end(self, objects, hints, locate):
        """Judge the jobs that have ended, by what the store holds.

        Parameters
        ----------
        objects : dict
            What the store holds.
        hints : set
            Layouts that a listing shows.
        locate : callable
            Key of a file, by owner, layout_id, attempt and name.
        """
        for job in self.jobs.values():
            if job.stored:
                self._check_listed(job, hints)
            if job.terminal and job.status["status"] == "completed":
                self._check_artifacts(job, objects, locate)

    def _check_listed(self, job, hints):
        if job.layout_id not in hints:
            self.report("lost", f"{job.layout_id[-4:]} is in no listing")

    def _check_artifacts(self, job, objects, locate):
        status = job.status
        if not job.good:
            self.report("mislabelled", f"{job.layout_id[-4:]} completed, but its request is bad")
        if set(status["artifacts"]) != {"layout.geojson", "report.html"}:
            self.report("lost", f"{job.layout_id[-4:]} completed with the files {sorted(status['artifacts'])}")
        runs = set()
        for name, about in status["artifacts"].items():
            key = locate(job.owner, job.layout_id, status["attempt"], name)
            if key not in objects:
                self.report("lost", f"{job.layout_id[-4:]} completed without its file {name}")
                continue
            data = objects[key][0]
            if hashlib.sha256(data).hexdigest() != about["sha256"]:
                self.report("mislabelled", f"{job.layout_id[-4:]}: {name} is not the file that was committed")
            owner, layout_id, attempt, nonce_run = data.decode().split()[:4]
            runs.add(nonce_run)
            if (owner, layout_id, attempt) != (job.owner, job.layout_id, str(status["attempt"])):
                self.report("mislabelled", f"{job.layout_id[-4:]}: {name} is of {owner} {layout_id} attempt {attempt}")
        if len(runs) > 1:
            self.report("mislabelled", f"{job.layout_id[-4:]}: its files are of several runs")

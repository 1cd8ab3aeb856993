"""The table of jobs, a module for each way in which it is asked."""

from bot.storage.jobs.cards import CardShown, JobCards
from bot.storage.jobs.job_queue import JobQueue
from bot.storage.jobs.jobs import Jobs
from bot.storage.jobs.member_jobs import MemberJobs
from bot.storage.jobs.rows import JOB_KEY, JobChanges, job_of

"""Questions that wait for an answer: confirmations before a job, requests for credits, offers of tools."""

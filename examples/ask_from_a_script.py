"""Ask before something happens; needs SIGNOFF_URL and SIGNOFF_API_KEY."""

from signoff import Rejected, ask

try:
    decision = ask("Deploy version 7?", approvers="group:ops", action="deploy")
except Rejected as no:
    raise SystemExit(str(no)) from None
print("Deploying, with the consent of", ", ".join(decision.by))

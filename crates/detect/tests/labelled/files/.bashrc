# Settings of interactive shells
[ -z "$PS1" ] && return
HISTSIZE=2000
shopt -s checkwinsize
if [ -x /usr/bin/dircolors ]; then
    alias ls='ls --color=auto'
fi
case "$TERM" in
    xterm*) PS1="\u@\h:\w\$ " ;;
esac
export SMTP_USERNAME="shop@example.com"
export SMTP_PASSWORD="Kettle!2468"
export MAILCHIMP_API_KEY="692e2ad25e28f7d23945025a1d744b7a-us7"
export MAILCHIMP_LIST_ID="d2f72d3758"
export SITE_GITHUB_TOKEN="d66ff9dc41c8d84aa927dcef2cd0b096181b45f4"

# Loaded for each login
export PATH="$PATH:$HOME/bin"
export EDITOR=vim
alias deploy="ssh www@web1.example.com"

export AWS_ACCESS_KEY_ID=7ysh0vjy4EDQXyzqTu7vPvqI5W # the public half
export AWS_SECRET_ACCESS_KEY=9TlT58kcNluuZ6lmjOL3agcrEBw7TSTb7zX8HZ
export AWS_DEFAULT_REGION='eu-central-1'
export S3_SECRET_ACCESS_KEY=$AWS_SECRET_ACCESS_KEY
export DB_HOST='orders.db.example.com'
export DB_PASSWORD='rainy-pass'
export HEROKU_API_KEY='shopHerokuKey'
export HOMEBREW_GITHUB_API_TOKEN='3a53274fbde6cdc58ef03a9b7b981a8e99949c66'
export SLACK_API_TOKEN='xoxp-{+}704520464271-108646468898-595177532038-4e488d4873026dd137a431a2406746e4'
export MLAB_PASS='umbrella123'
export MLAB_DB='shop-3-h17'
